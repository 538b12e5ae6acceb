#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests that a machine can redden, on another machine as far as one can be played: another user without rights to write,
# a checkout whose path holds a blank and an umlaut, a read-only home, another time zone, locale, terminal and processor.
# Usage: tests/elsewhere.sh [pytest's options and tests]; needs the .venv that `make setup` made.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
checkout="$place/a b/ünï"
mkdir -p "$checkout" "$place/home" "$place/t m p"

git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do test ! -f "$f" || printf "%s\0" "$f"; done' sh |
  tar -cf - --null -T - | tar -xf - -C "$checkout"
(cd "$checkout" && git init -q && git add -A)  # Some tests ask git which files there are.
test ! -d ../shared || ln -s "$(realpath ../shared)" "$place/a b/shared"

# Its own environment, so that the code of this place is tested; the packages are those of .venv.
packages=$("$here/.venv/bin/python" -c 'import sys; print("\n".join(p for p in sys.path if p.endswith("site-packages")))')
"$here/.venv/bin/python" -m venv --without-pip "$checkout/.venv"
inside=$("$checkout/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$packages" > "$inside/packages.pth"
(cd "$checkout" && .venv/bin/python -m pip install -q --no-deps --no-build-isolation --no-cache-dir -e . 2>&1 | { grep -v "^WARNING\|notice" || true; })

# The rest stays: programs look for features of the processor there.
name="$(printf 'Made-up Processor(R) of a long name %.0s' 1 2 3)"
sed "s/^\(model name[^:]*:\).*/\1 ${name:0:90}/" /proc/cpuinfo > "$place/cpuinfo"
chmod 755 "$place" "$place/a b"
chmod 555 "$place/home"

# Reading is allowed everywhere, because Python itself may lie in another user's home; writing is not.
other=()
if [ "$(id -u)" = 0 ]; then
  chown -R nobody "$checkout" "$place/t m p"
  other=(setpriv --reuid=nobody --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search)
fi
playing=(env HOME="$place/home" TMPDIR="$place/t m p" TZ=Asia/Kolkata LC_ALL=C COLUMNS=40 NO_COLOR=1 USER=nobody
         LITEFORMER_CACHE="$place/t m p/cache" PYTHONDONTWRITEBYTECODE=1)
run() { (cd "$checkout" && "${playing[@]}" "${other[@]}" "$@"); }

# In a mount namespace, where that is allowed, the processor has another name.
if [ "$(id -u)" = 0 ] && unshare -m mount --bind "$place/cpuinfo" /proc/cpuinfo 2>/dev/null; then
  run() {
    (cd "$checkout" && unshare -m sh -c 'mount --bind "$0" /proc/cpuinfo; exec "$@"' "$place/cpuinfo" \
      "${playing[@]}" "${other[@]}" "$@")
  }
else
  echo "tests/elsewhere.sh: not allowed to rename the processor here; everything else is as elsewhere" >&2
fi
run .venv/bin/python -m pytest -p no:cacheprovider "$@"
