#!/bin/sh
# Installs what the tests start beside Python: Debian's gst-rtsp-server, as a real RTSP camera,
# Chromium, as the browser of an operator, and openssl, which makes certificates.
set -eu
packages=''
/usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null ||
    packages="gir1.2-gst-rtsp-server-1.0 gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-base
        gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-rtsp python3-gi"
[ -e /usr/bin/chromium ] || packages="$packages chromium"
command -v openssl >/dev/null || packages="$packages openssl"
[ -n "$packages" ] || exit 0
root=''
if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then root=sudo; else
        echo "tests with cameras or pages will be skipped; for them run: sudo apt-get install" $packages >&2
        exit 0
    fi
fi
echo "installing what the tests start:" $packages >&2
$root apt-get update -qq
for package in $packages; do  # one that a distribution lacks does not take the others along
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
        echo "$package cannot be installed here; its tests will be skipped" >&2
done
