package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

/**
 * What {@code ./slipway package} makes, in a bare Debian (debootstrap's minbase) that sees nothing
 * of the checkout: first the archive, unpacked where a user has it, then the Debian package with
 * what it depends on.
 */
@Tag("slow")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PackageTest {
  private static final String BASE = BaseImages.TRIXIE;

  @TempDir static Path directory;

  private static Path root;
  private static String told;

  @BeforeAll
  static void make() throws Exception {
    told = run(Cli.ROOT.resolve("slipway").toString(), "package", "--output", directory.toString());
    root = directory.resolve("root");
    BareDebian.make(root, List.of());
    BaseImages.trixie().must("save", "--format", "oci-archive", "-o", root + "/base.tar", BASE);
    for (String made : List.of("deb", "tar.gz")) {
      Files.copy(made(made), root.resolve("product." + made));
    }
  }

  @AfterAll
  static void removeWhatIsLarge() {
    BareDebian.remove(root);
  }

  private static Path made(String suffix) throws IOException {
    try (var files = Files.list(directory)) {
      return files.filter(f -> f.toString().endsWith("." + suffix)).findFirst().orElseThrow();
    }
  }

  private static String run(String... argv) {
    return Command.of(argv).idleLimit(Cli.IDLE_LIMIT).run().text();
  }

  /**
   * Runs a script in the container, which has the kernel's file systems and the network. A root
   * that is a mount: else the kernel lets nobody in it make namespaces of users.
   */
  private static Command.Result inside(String script) {
    String enter =
        """
        set -e
        mount --rbind "$1" "$1"
        mount --rbind /dev "$1/dev"; mount --rbind /sys "$1/sys"; mount -t proc proc "$1/proc"
        mount -t tmpfs tmpfs "$1/run"
        cp /etc/resolv.conf "$1/etc/resolv.conf"
        cd "$1"; mkdir -p old; pivot_root . old; umount -l /old
        exec /bin/sh -ec "$2"
        """;
    return Command.of("setpriv", "--pdeathsig", "KILL", "--")
        .with("unshare", "--mount", "--propagation", "private", "--pid", "--fork")
        .with("--kill-child=KILL", "--", "sh", "-c", enter, "sh", root.toString(), script)
        .environment("HOME", "/root")
        .environment("JAVA_HOME", null)
        .environment("SLIPWAY_STATE", null)
        .environment("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .idleLimit(Cli.IDLE_LIMIT)
        .tryRun();
  }

  private static String must(String script) {
    Command.Result result = inside(script);
    assertThat(result.status()).as(result.text() + result.stderr()).isZero();
    return result.text();
  }

  @Test
  @Order(0)
  void itTellsWhatItMadeAndNothingElse() throws Exception {
    assertThat(told.lines()).containsExactly(made("deb").toString(), made("tar.gz").toString());
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactlyInAnyOrder(made("deb"), made("tar.gz"), root);
    }
  }

  /**
   * Of the paths, those of the Debian package begin with {@code /usr}, those of the archive with a
   * name that its folder holds.
   */
  @Test
  @Order(0)
  void whatTheReadmeNamesIsInstalled() throws Exception {
    Path debian = root.resolve("unpacked/debian");
    Path archive = root.resolve("unpacked/archive");
    Files.createDirectories(archive);
    run("dpkg-deb", "-x", made("deb").toString(), debian.toString());
    run("tar", "-xf", made("tar.gz").toString(), "--strip=1", "-C", archive.toString());
    Path documents = debian.resolve("usr/share/doc/slipway");
    String readme = Files.readString(documents.resolve("README.md"));
    assertThat(archive.resolve("README.md")).hasContent(readme);
    List<String> named = matches("(?<![\\w/.~-])/usr(?:/[\\w.-]*\\w)+", readme);
    assertThat(named).hasSizeGreaterThan(6);
    assertThat(named).allSatisfy(path -> assertThat(debian.resolve(path.substring(1))).exists());
    String top = String.join("|", Command.of("ls", archive.toString()).output().split("\\s+"));
    named = matches("(?<![\\w/.~-])(?:" + top + ")(?:/[\\w.-]*\\w)+", readme);
    assertThat(named).hasSizeGreaterThan(6);
    assertThat(named).allSatisfy(path -> assertThat(archive.resolve(path)).exists());
    assertThat(archive.resolve("LICENSE")).isRegularFile();
  }

  private static List<String> matches(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(MatchResult::group).toList();
  }

  /** Unpacked in a folder whose name holds a blank; nothing is installed for it. */
  @Test
  @Order(1)
  void theArchiveRunsWhereItIsUnpacked() {
    String text =
        must(
            """
            ! command -v java
            mkdir '/opt/our tools'
            tar -xf /product.tar.gz -C '/opt/our tools'
            ln -s '/opt/our tools'/slipway-*/bin/slipway /usr/local/bin/slip
            slip --version
            slip load -i /base.tar
            slip images
            slip tag localhost/debian-bootc:trixie localhost/again:1
            slip rmi localhost/again:1
            SLIPWAY_HEAP=1 slip images || echo refused
            """);
    assertThat(text).startsWith("slipway ").contains("localhost/debian-bootc").contains("refused");
    // The caches of classes are taken where the folder lies, not passed over in silence.
    assertThat(
            must(
                "cd '/opt/our tools'/slipway-*/; sed \"s|@HOME@|$PWD|g\" quick.options > /tmp/o;"
                    + " IFS='\n'; set -f; runtime/bin/java $(cat /tmp/o) -Xlog:class+load"
                    + " slipway.cli.Main --help | grep -c 'shared objects file'"))
        .matches("[0-9]{3,}\\s*");
  }

  /** Copied, its files have other times than those that the JVM's caches know. */
  @Test
  @Order(2)
  void aCopyOfItIsSilentAndNeedsNoExecutableTemporaryFolder() {
    assertThat(
            must(
                """
                cp -r '/opt/our tools'/slipway-* /opt/copy
                mount -t tmpfs -o noexec tmpfs /mnt
                o=$(printf '\\303\\266')
                mkdir /mnt/$o && echo "FROM scratch" > /mnt/$o/Containerfile
                LC_ALL=C TMPDIR=/mnt /opt/copy/bin/slipway build -q --label a=$o -t l:1 \
                  --compression zstd --root /mnt/state /mnt/$o 2>&1
                /opt/copy/bin/slipway inspect --root /mnt/state l:1 | grep -c "\\"a\\" : \\"$o\\""
                rm -r /opt/copy
                """))
        .matches("sha256:[0-9a-f]{64}\n1\n");
  }

  @Test
  @Order(3)
  void thePackageInstallsWithWhatItNeeds() {
    must(
        """
        rm -rf '/opt/our tools' /usr/local/bin/slip
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /product.deb
        dpkg --verify slipway
        """);
    assertThat(must("slipway help disk build")).contains("Usage: slipway disk build");
    assertThat(must("zcat /usr/share/man/man1/slipway-build.1.gz")).contains("slipway");
    assertThat(
            must(
                "for f in /usr/share/man/man1/slipway.1.gz /usr/share/man/man1/slipway-bootc.1.gz"
                    + " /usr/share/bash-completion/completions/slipway"
                    + " /usr/lib/systemd/system/slipway-registry.service"
                    + " /usr/share/doc/slipway/copyright /usr/share/doc/slipway/README.md; do test -s $f; done; echo all"))
        .contains("all");
  }

  @Test
  @Order(4)
  void itBuildsServesAndMakesADisk() {
    String text =
        must(
            """
            mkdir /context
            printf '%s\\n' 'FROM localhost/debian-bootc:trixie' 'RUN echo built > /usr/share/built' \\
              'COPY file /usr/share/' > /context/Containerfile
            echo ours > /context/file
            slipway build --quiet -t localhost/ours:1 /context
            slipway registry serve --storage /srv/registry --addr 127.0.0.1:25101 > /tmp/log 2>&1 &
            server=$!
            until grep -q 127.0.0.1:25101 /tmp/log; do kill -0 $server; done
            slipway push --tls-verify=false localhost/ours:1 127.0.0.1:25101/ours:1
            slipway rmi localhost/ours:1
            slipway pull --tls-verify=false 127.0.0.1:25101/ours:1
            kill $server; wait $server || true
            slipway disk build --quiet --type qcow2 --output /out 127.0.0.1:25101/ours:1
            qemu-img info /out/qcow2/disk.qcow2
            """);
    assertThat(text).contains("file format: qcow2");
  }

  @Test
  @Order(5)
  void removingItLeavesNothingButImages() {
    String text =
        must(
            """
            mkdir -p /run/systemd/system /etc/systemd/system/multi-user.target.wants
            printf '#!/bin/sh\\necho "systemctl $*" >> /run/asked\\n' > /usr/bin/systemctl
            chmod +x /usr/bin/systemctl
            unit=slipway-registry.service
            ln -s /usr/lib/systemd/system/$unit /etc/systemd/system/multi-user.target.wants/$unit
            dpkg -i /product.deb > /dev/null
            dpkg --purge slipway 2>&1 >/dev/null
            test -e /usr/lib/slipway || test -L /usr/bin/slipway || echo gone
            ls /etc/systemd/system/multi-user.target.wants
            cat /run/asked
            """);
    assertThat(text)
        .contains("images are kept in /var/lib/slipway;", "gone\n")
        .containsSubsequence(
            "daemon-reload",
            "try-restart slipway-registry.service",
            "stop slipway-registry.service",
            "daemon-reload");
    assertThat(text.lines()).doesNotContain("slipway-registry.service");
  }
}
