# What both launchers, a checkout's and an installed one's, make of the environment.

# A larger memory than the usual bound, such as for a registry of millions of blobs: SLIPWAY_HEAP=2g
if [ -n "${SLIPWAY_HEAP:-}" ]; then
  # The JVM says in words of its own what it cannot take: no size, or one too small to start with.
  heap=0
  case $SLIPWAY_HEAP in
    0* | *[!0-9]?* | [!0-9]* | ?????????*[mM] | ?????*[gG]) ;;
    *[mM]) heap=${SLIPWAY_HEAP%?} ;;
    *[gG]) heap=$((${SLIPWAY_HEAP%?} * 1024)) ;;
  esac
  if [ "$heap" -lt 64 ] || [ "$heap" -gt 10238976 ]; then
    echo "error: SLIPWAY_HEAP=$SLIPWAY_HEAP is not a size of memory from 64m to 9999g, such as 512m or 2g" >&2
    exit 1
  fi
fi

# The system's and the tools' own words, some of which are understood, are in English in any locale;
# its characters stay. (With LC_MESSAGES=C glibc passes over LANGUAGE too.)
if [ -n "${LC_ALL:-}" ]; then
  export LANG="$LC_ALL" LC_CTYPE="$LC_ALL"
  unset LC_ALL
fi
export LC_MESSAGES=C
