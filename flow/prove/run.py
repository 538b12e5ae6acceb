# SPDX-License-Identifier: BSD-2-Clause
"""All proofs and their twins: `make prove`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.workers import Processes
from liteformer.flow.prove import arithmetic, control, drain, registers
from liteformer.flow.prove.prover import prove

ROOT   = Path(__file__).resolve().parents[2]
RESULT = ROOT / "docs" / "results" / "prove.json"
PROOFS = [*arithmetic.PROOFS, *control.PROOFS, *drain.PROOFS, *registers.PROOFS]


def decide(_, number):
    """For a worker: verdicts on a proof and on its twin, JSON-able."""
    proof = PROOFS[number]
    verdict, twin = prove(proof), prove(proof, twin=True)
    return {"name": proof.name, "says": proof.says, "module": proof.module, "kind": proof.kind, "depth": proof.depth,
            "proven": verdict.proven, "fails_at": verdict.cycle, "twin_fails_at": twin.cycle,
            "seconds": round(verdict.seconds + twin.seconds, 1)}


def main(jobs: Annotated[int, typer.Option(min=1)] = 2,
         out: Annotated[Path, typer.Option(help="Where the results go.")] = RESULT):
    """Prove all properties, and see that each fails in its twin."""
    workers, results, waiting, running = Processes(jobs, decide), {}, list(range(len(PROOFS))), 0
    while waiting or running:
        while waiting and running < jobs:
            number = waiting.pop(0)
            workers.submit(number, None, number)
            running += 1
        for number, result in workers.finished(1.0):
            running -= 1
            results[number] = result
            twin = result["twin_fails_at"]
            print(f"{'proven' if result['proven'] else 'FAILS in cycle ' + str(result['fails_at']):7}  "
                  f"{'twin fails in cycle ' + str(twin) if twin is not None else 'TWIN HOLDS':23}  {result['seconds']:6.1f} s  "
                  f"{result['kind']:9} {result['depth']:3}  {result['name']}", flush=True)
    workers.close()
    ordered = [results[number] for number in range(len(PROOFS))]
    write_atomically(out, json.dumps(ordered, indent=1) + "\n")
    proven = sum(result["proven"] for result in ordered)
    failing = sum(result["twin_fails_at"] is not None for result in ordered)
    print(f"{proven} of {len(ordered)} proven, {failing} of {len(ordered)} twins fail, "
          f"{sum(result['seconds'] for result in ordered):.0f} s of proofs")
    raise typer.Exit(not proven == failing == len(ordered))


if __name__ == "__main__":
    typer.run(main)
