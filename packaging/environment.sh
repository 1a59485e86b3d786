# What the launchers, a checkout's, an installed one's and a machine's agent's, make of the environment.
# $home is the folder that the program lies in.

# A folder whose path may not be walked is there all the same, so the kernel is asked then.
if [ ! -d "${PWD:-}" ] && [ -z "$(pwd -P 2> /dev/null)" ]; then
  echo "error: the current folder is not there any more; change to one that is" >&2
  exit 1
fi

# A path of Java's is cut at colons, and what tells the JVM its options is read by the line.
case $home in
  *:* | *'
'*)
    echo "error: Slipway does not run from a folder with a colon or a line break in its name, and its own is in $home; move it" >&2
    exit 1
    ;;
esac

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

# The characters of names and arguments. In the locale C, in which cron and the system's services start
# programs, Java reads ASCII alone and loses the rest; C.UTF-8 stands in for it. It does for other
# locales of UTF-8 too, because one that is not installed is C without a word.
characters=${LC_ALL:-${LC_CTYPE:-${LANG:-}}}
export SLIPWAY_LOCALE="$characters" # What the terminal shows.
case $characters in '' | C | POSIX | *.[uU][tT][fF]-8* | *.[uU][tT][fF]8*) characters=C.UTF-8 ;; esac
# The system's and the tools' own words, some of which are understood, are in English in any locale.
# (With LC_MESSAGES=C glibc passes over LANGUAGE too.)
if [ -n "${LC_ALL:-}" ]; then export LANG="$LC_ALL"; fi
unset LC_ALL
export LC_CTYPE="$characters" LC_MESSAGES=C
