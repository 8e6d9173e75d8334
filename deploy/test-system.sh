#!/bin/sh
# Fetches what tests need beside Python: axe-core, which looks for what shuts people out of the
# pages, and Debian's gst-rtsp-server, which is started as a real RTSP camera.
set -eu
axe="${NOCTULE_AXE:-$HOME/.cache/noctule/axe/axe.min.js}"
if [ ! -e "$axe" ]; then
    if command -v npm >/dev/null; then
        folder=$(mktemp -d)
        (cd "$folder" && npm pack --silent axe-core@4 >/dev/null && tar xzf axe-core-*.tgz)
        mkdir -p "$(dirname "$axe")"
        mv "$folder/package/axe.min.js" "$axe"
        rm -r "$folder"
    else
        echo "tests with axe-core will be skipped; for them install npm" >&2
    fi
fi
if /usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null; then
    exit 0
fi
packages="gir1.2-gst-rtsp-server-1.0 gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-base
    gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-rtsp python3-gi"
root=''
if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then root=sudo; else
        echo "RTSP tests will be skipped; for them run: sudo apt-get install" $packages >&2
        exit 0
    fi
fi
echo "installing the RTSP server for the tests" >&2
$root apt-get update -qq
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
