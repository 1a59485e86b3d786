package slipway.e2e;

import java.nio.file.Path;
import java.util.List;
import slipway.linux.process.Command;

/** Debian's packages in a folder, as mmdebstrap unpacks them. */
final class BareDebian {
  static final String SUITE = "trixie";

  private BareDebian() {}

  /**
   * Makes it.
   *
   * @param root is made
   * @param packages beside those of minbase
   */
  static void make(Path root, List<String> packages) {
    Command mmdebstrap =
        Command.of("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase")
            .with("--format=directory", "--dpkgopt=force-unsafe-io")
            .with("--aptopt=APT::Install-Recommends \"false\"");
    if (!packages.isEmpty()) {
      mmdebstrap = mmdebstrap.with("--include=" + String.join(",", packages));
    }
    mmdebstrap.with(SUITE, root.toString(), mirror()).idleLimit(Cli.IDLE_LIMIT).run();
  }

  /** The mirror that this machine's apt uses, which is the one that can be reached. */
  private static String mirror() {
    return Command.of("apt-get", "indextargets", "--format", "$(REPO_URI)")
        .output()
        .lines()
        .filter(line -> line.matches(".*/debian/?"))
        .findFirst()
        .orElse("http://deb.debian.org/debian");
  }

  /** Removes a folder that may be large, and nothing that is mounted in it. */
  static void remove(Path root) {
    Command.of("rm", "-rf", "--one-file-system", root.toString()).run();
  }
}
