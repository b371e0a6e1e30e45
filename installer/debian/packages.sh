#!/usr/bin/env bash
# Installs the Debian packages that the demo or the tests need; does nothing when they are all there.
# Usage: installer/debian/packages.sh demo|test
set -euo pipefail

demo=(
  python3 python3-venv python3-dev gcc
  swig libpcsclite-dev pkg-config                 # pyscard has no Linux wheel
  libegl1 libgl1 libdbus-1-3 libfontconfig1 libglib2.0-0 libxkbcommon-x11-0 libxcb-cursor0
  libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0
  libxcb-xinerama0 libxcb-xkb1                     # what Qt loads at run time
  libpulse0 libspeechd2                            # sound and speech, through Qt
  libusb-1.0-0                                     # printers on USB without a driver
  fonts-noto-cjk fonts-hanazono                    # the window, and rare characters on slips
)
test=(
  pcscd vsmartcard-vpcd                            # the PC/SC service and a virtual reader
  gnome-keyring dbus                               # a Secret Service
  speech-dispatcher speech-dispatcher-espeak-ng espeak-ng  # the voice
  pulseaudio pulseaudio-utils                      # a sound service that nobody hears
  zbar-tools                                       # reads QR and CODE128 back
  cups-daemon cups-client                          # a print queue
  postgresql                                       # a database of its own for each run, never the system's
  openssl                                          # certificates by the lines of the manual
  xvfb xauth util-linux                            # a display, private namespaces
)

case "${1:-}" in
  demo) wanted=("${demo[@]}") ;;
  test) wanted=("${demo[@]}" "${test[@]}") ;;
  *) echo "usage: $0 demo|test" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0

echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Root or sudo is needed to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
