/**
 * The command line. Entry: {@link slipway.cli.Main}, under each name that the product answers to.
 *
 * <pre>
 *  ./slipway tag web:1 web:2
 *     │ start-up.sh (StartUpScript): quick, run or serve, by the row of the verb
 *     ▼
 *  Main.main ─▶ Signals           SIGTERM, SIGINT and SIGHUP end the work in order
 *  Main.run  ─▶ Limits.take       --limit NAME=VALUE, anywhere on the line
 *     │         first word: --version, --help, help   answered here, without picocli
 *     ▼
 *  Program      slipway, bootc: words of its own; bootc is also a word of slipway
 *     ▼
 *  Verb         a row for each word: group, start-up, needs, what it does
 *     │ Verb.line: the classes of this one command are loaded, of no other
 *     ▼
 *  picocli ─▶ image.TagCommand.call ─▶ a room's entry (LocalStore.tag)
 *     │           State, RegistryAccess: options that several commands share
 *     │           output: tables, JSON, progress
 *     ▼
 *  exit code    0 done    1 a Problem    2 wrong usage    128 + signal
 *               one sentence on stderr: Main.sentence, UsageFault
 *
 *  image, build, disk, server, system    classes of slipway's verbs
 *  machine                               bootc's verbs
 *  document                              manual pages and completion, of all rows (CommandModel)
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.cli;
