"""The C header that tells the firmware what the model in the core is for."""

from liteformer.accel.decision import TASKS


def model_header(config):
    """Text of ``generated/model.h``.

    Args:
        config: ModelConfig, or None for a core of unknown model, which is served as a forecast.
    """
    task = "forecast" if config is None else config.task
    lines = ["/* The model in the core; generated with the SoC. */", "#ifndef LITEFORMER_MODEL_H", "#define LITEFORMER_MODEL_H",
             "", f"#define LITEFORMER_TASK {TASKS.index(task)} /* {task} */"]
    if task == "anomaly":
        settings = config.anomaly
        lines += [f"#define LITEFORMER_ANOMALY_FEATURES {_list(config.target_features)}",
                  f"#define LITEFORMER_ANOMALY_SHIFTS {_list(settings.shifts)}",
                  f"#define LITEFORMER_ANOMALY_GAINS {_list(settings.gains)}",
                  f"#define LITEFORMER_ANOMALY_SMOOTHING {settings.smoothing}",
                  f"#define LITEFORMER_ANOMALY_THRESHOLD {settings.threshold}u"]
    return "\n".join([*lines, "", "#endif", ""])


def _list(numbers):
    return "{" + ", ".join(map(str, numbers)) + "}"
