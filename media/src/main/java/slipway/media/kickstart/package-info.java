/**
 * Kickstart files: the answers that an unattended installation gives. Entry: {@link
 * slipway.media.kickstart.KickstartParser}; what it makes is a {@link
 * slipway.media.kickstart.KickstartFile}.
 *
 * <pre>
 *  FILE ─▶ KickstartSource   regular files beneath the file's folder, in all 4 MiB
 *    │ KickstartLines        lines as Python cuts them (PythonText)
 *    ▼
 *  KickstartParser           one line after the other; errors are kept, not thrown
 *    │ KickstartWord         words as shlex splits them
 *    ├─ %section ─▶ SectionReader ─▶ KickstartSection
 *    ▼
 *  CommandTable              commands.txt: every command and option, by version (CommandSyntax,
 *    │                       OptionSyntax)
 *    ▼
 *  ArgumentReader            options and arguments as argparse deals them (OptionValues, ValueKind)
 *    ▼
 *  CommandRules              what a command demands beyond them (StorageRules, RealmRules)
 *    ▼
 *  CommandRecords ─▶ KickstartCommand
 *
 *  KickstartFinding          an error in the words of pykickstart, or a warning, at its
 *                            KickstartPlace; OddCharacters and KickstartAdvice find more
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.media.kickstart;
