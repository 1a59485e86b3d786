package slipway.host.kickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.media.kickstart.KickstartFile;
import slipway.media.kickstart.KickstartFinding;
import slipway.media.kickstart.KickstartParser;
import slipway.media.kickstart.KickstartVersion;

/**
 * A kickstart file that an installation follows. What it says is known, and what it cannot have is
 * refused, before a disk is touched.
 */
public final class Kickstart {
  /** The newest, which knows most. */
  private static final KickstartVersion VERSION = KickstartVersion.F45;

  /** Where a copy lies, beside which what it includes is looked for last. */
  private static final String COPY = "slipway-kickstart/ks.cfg";

  private static final String MANAGER = "usr/lib/systemd/system/NetworkManager.service";

  private final KickstartScripts scripts;
  private final KickstartFile file;
  private final InstallAnswers answers;

  private Kickstart(KickstartScripts scripts, KickstartFile file, InstallAnswers answers) {
    this.scripts = scripts;
    this.file = file;
    this.answers = answers;
  }

  /**
   * Reads one, and runs its {@code %pre}.
   *
   * @param medium where the medium is mounted
   * @param drive the medium's name in /dev
   * @param where it is, as {@code inst.ks=} says it
   * @throws Problem when it is not found, or cannot be followed
   */
  public static Kickstart read(HostEnvironment host, Path medium, String drive, String where)
      throws IOException {
    byte[] bytes = new KickstartLocation(host, medium, drive).read(where);
    Path copy = host.run().resolve(COPY);
    Files.createDirectories(copy.getParent());
    Files.deleteIfExists(copy);
    // It may hold passwords.
    Files.createFile(
        copy, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(copy, bytes);
    KickstartScripts scripts = new KickstartScripts(host);
    KickstartFile first = parse(host, copy, false);
    scripts.live(first, "%pre");
    KickstartFile file = parse(host, copy, true);
    InstallAnswers answers =
        KickstartAnswers.of(
            file,
            new KickstartAnswers.Place(
                medium.toString(),
                Files.exists(host.root().resolve(MANAGER)),
                name -> disk(host, name)));
    answers.warnings().forEach(line -> host.out().accept(Printable.text("warning: " + line)));
    return new Kickstart(scripts, file, answers);
  }

  private static KickstartFile parse(HostEnvironment host, Path copy, boolean tells)
      throws IOException {
    KickstartFile file = KickstartParser.parse(copy, host.root(), VERSION);
    List<KickstartFinding> errors =
        file.findings().stream().filter(KickstartFinding::isError).toList();
    if (!errors.isEmpty()) {
      KickstartFinding first = errors.getFirst();
      Problem problem =
          Problem.input(
              "%s: %s%s"
                  .formatted(
                      first.at(),
                      first.message().replaceAll("\\s+", " "),
                      first.fix().isEmpty() ? "" : "; " + first.fix()));
      throw errors.size() == 1
          ? problem
          : problem.withDetails(
              String.join("\n", errors.stream().map(e -> e.at() + ": " + e.message()).toList()));
    }
    if (tells) {
      file.findings()
          .forEach(
              f -> host.out().accept(Printable.text("warning: " + f.at() + ": " + f.message())));
    }
    return file;
  }

  /** The kernel's name of a disk, which may be given by a link in /dev. */
  private static String disk(HostEnvironment host, String name) {
    String plain = name.replaceFirst("^/dev/", "");
    Path path = host.root().resolve("dev").resolve(plain);
    try {
      return plain.startsWith("disk/") && Files.exists(path)
          ? String.valueOf(path.toRealPath().getFileName())
          : plain;
    } catch (IOException e) {
      return plain;
    }
  }

  /** What it says. */
  public InstallAnswers answers() {
    return answers;
  }

  /** Runs {@code %post}; as {@link slipway.disk.MachineWishes.Companions#finish} has it. */
  public void post(Path root, Path tree, Path var) throws IOException {
    scripts.post(file, root, tree, var);
  }

  /** Runs {@code %onerror}. */
  public void failed() throws IOException {
    scripts.live(file, "%onerror");
  }
}
