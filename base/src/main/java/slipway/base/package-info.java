/**
 * What every room speaks. It uses nothing of ours.
 *
 * <pre>
 *  told to people      Problem      one sentence, and a Kind: exit code 2 for USAGE, 1 for all else
 *                      Printable    text of strangers, made safe for a terminal
 *                      Spelling     what a misspelt word was meant to be
 *                      FileReason, FullDisk   why something with a file failed
 *  bounds              Limit        a name, a default, check and read; --limit NAME=VALUE
 *                      ByteSize     4096, 512m, 20G
 *  durable             AtomicFile   .NAME.HEX.tmp ─▶ sync ─▶ rename, the commit point ─▶ sync of
 *                                   the folder
 *                      TemporaryFiles   the folder that TMPDIR names
 *  the end             Cleanup      what must not be left behind; undone by close, or when the
 *                                   process is told to end, the latest first
 *  long work           Progress     tasks with a total, phases, notes, output
 *  texts               KeyFile      [group], key=value; comments and unknown keys stay
 *                      RawText      UTF-8 by custom only: other bytes are kept
 *                      Position     file and line
 *  streams             BlockInput, BlockFilter, CountedInput, CountedOutput
 *
 *  document            ConfigDocument   TOML and JSON that people write
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.base;
