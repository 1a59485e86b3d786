package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.lock.Flock;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;

/**
 * {@code ./slipway package} in a checkout that is built, with a JDK of scripts that make next to
 * nothing: what is told, and what is left. {@code e2e.PackageTest} has the real one.
 */
class PackingTest {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  private static final String NAME = "slipway_1.0_";

  /** Of what it makes, one file's size is $SIZE; nothing can be packed smaller. */
  private static final String JAVA =
      """
      #!/bin/sh -e
      case $1 in
        */Assemble.java)
          cd "$3"
          mkdir -p lib share/man/man1 share/bash-completion/completions
          for kind in quick run serve; do printf -- '-cp\\n"%s/lib/a.jar"\\n' "$3" > $kind.args; done
          echo page > share/man/man1/slipway.1
          head -c ${SIZE:-10} /dev/urandom > lib/a.jar ;;
        *) echo slipway 1.0 ;;
      esac
      """;

  private static final String JLINK =
      """
      #!/bin/sh -e
      for last; do :; done
      mkdir -p "$last/lib/server"
      echo a line of jlink
      echo another of jlink >&2
      exit ${JLINK:-0}
      """;

  @TempDir Path folder;

  private Path checkout;
  private Path state;
  private Path jdk;
  private Path output;

  @BeforeEach
  void lay() throws Exception {
    checkout = Files.createDirectory(folder.resolve("check|out"));
    state = checkout.resolve(".slipway");
    jdk = Files.createDirectories(folder.resolve("jdk/bin")).getParent();
    output = folder.resolve("out");
    Command.of("cp", "-r", "slipway", "LICENSE", "tools", "packaging", "docs", "examples")
        .with(checkout.toString())
        .directory(CHECKOUT)
        .run();
    script(jdk.resolve("bin/java"), JAVA);
    script(jdk.resolve("bin/jlink"), JLINK);
    script(jdk.resolve("bin/javac"), "#!/bin/sh\n");
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
  }

  /** What a build has left. */
  private void build() throws IOException {
    Files.createDirectories(state);
    Files.createFile(state.resolve("stamp"));
    Files.writeString(state.resolve("sources"), "stale=no\n");
    Files.writeString(state.resolve("java-home"), jdk + "\n");
    Files.writeString(state.resolve("current"), state + "\n");
    Files.writeString(state.resolve("start-up.sh"), "arguments=quick tools=no\n");
  }

  private static void script(Path path, String text) throws IOException {
    Files.writeString(path, text);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Command slipway(String... arguments) {
    return Command.of(checkout.resolve("slipway").toString())
        .with(arguments)
        .environment("JAVA_HOME", jdk.toString())
        .environment("SOURCE_DATE_EPOCH", "1700000000");
  }

  private Command pack() {
    return slipway("package", "--output", output.toString());
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  private void assertNothingIsLeft(String... made) throws IOException {
    assertThat(names(output)).containsExactly(made);
    assertThat(names(state)).noneMatch(name -> name.contains("package"));
  }

  private void assertFails(Command command, String... stderr) {
    Command.Result result = command.tryRun();
    assertThat(result.stderr().lines().dropWhile(line -> line.startsWith("Packing")))
        .containsExactly(stderr);
    assertThat(result.text()).isEmpty();
    assertThat(result.status()).isEqualTo(1);
  }

  @Test
  void tellsTheNamesOfWhatItMadeAndOnStderrHowLongItTakes() throws Exception {
    build();
    Path killed = Files.createDirectories(output.resolve(".slipway-package-killed"));
    Files.createFile(killed.resolve("slipway.deb"));
    Command.Result result = pack().run();
    String machine = Command.of("dpkg", "--print-architecture").output();
    String deb = NAME + machine + ".deb";
    String tar = "slipway-1.0-" + machine + ".tar.gz";
    assertThat(result.text().lines()).containsExactly(output + "/" + deb, output + "/" + tar);
    assertThat(result.stderr()).matches("Packing Slipway 1\\.0: about .*\n");
    assertNothingIsLeft(tar, deb);
    // Paths of the folder that it was made in are in none of its options.
    String options = "slipway-1.0-" + machine + "/run.options";
    assertThat(Command.of("tar", "-xOf", output.resolve(tar).toString(), options).output())
        .isEqualTo("-cp\n@HOME@/lib/a.jar");
  }

  @Test
  void bothHoldTheTextForWhoInstalledThemAndTheLicense() throws Exception {
    build();
    List<String> made = pack().run().text().lines().toList();
    Path debian = folder.resolve("debian");
    Command.of("dpkg-deb", "-x", made.get(0), debian.toString()).run();
    Command.of("tar", "-xf", made.get(1), "-C", folder.toString()).run();
    Path archive = folder.resolve(made.get(1).replaceAll(".*/|\\.tar\\.gz$", ""));
    Path documents = debian.resolve("usr/share/doc/slipway");
    assertThat(documents.resolve("README.md"))
        .content()
        .startsWith("# Slipway 1.0\n")
        .contains("mmdebstrap", "qemu-system-x86")
        .doesNotContain("./slipway", "./test", "@");
    assertThat(archive.resolve("README.md"))
        .hasSameTextualContentAs(documents.resolve("README.md"));
    assertThat(archive.resolve("LICENSE")).hasSameTextualContentAs(CHECKOUT.resolve("LICENSE"));
    assertThat(documents.resolve("copyright")).isRegularFile();
    for (Path place : List.of(documents, archive)) {
      assertThat(names(place.resolve("docs")))
          .containsExactly(
              "base-image.md",
              "bootc.md",
              "data-flow.md",
              "disk.md",
              "foreign-images.md",
              "formats.md",
              "iso.md",
              "kickstart.md",
              "netboot.md",
              "security.md");
      assertLinksLead(place);
    }
  }

  /** Of each document in a folder and below, the relative links. */
  private static void assertLinksLead(Path folder) throws Exception {
    Pattern link = Pattern.compile("(?<=\\]\\()(?!\\w+:|#)[^)#]+");
    for (String file :
        Command.of("find", folder.toString(), "-name", "*.md").output().split("\n")) {
      Path document = Path.of(file);
      link.matcher(Files.readString(document))
          .results()
          .forEach(
              found ->
                  assertThat(document.resolveSibling(found.group()))
                      .as("a link of %s", document)
                      .exists());
    }
  }

  @Test
  @Tag("slow")
  void aFullDiskOfTheResultsIsToldAndLeavesNothing() throws Exception {
    build();
    Files.createDirectory(output);
    try (Mount full = Mount.of("tmpfs", output, "tmpfs", 0, "size=1m")) {
      assertFails(
          pack().environment("SIZE", "3000000"),
          "error: the file system of "
              + output
              + " is full: packing takes about 3 MiB there; free some space, or name another"
              + " folder by --output");
      assertNothingIsLeft();
    }
    try (Mount full = Mount.of("tmpfs", output, "tmpfs", 0, "nr_inodes=1")) {
      assertFails(
          pack(),
          "error: the file system of "
              + output
              + " is full; free some space there, or name another folder by --output");
      assertNothingIsLeft();
    }
  }

  @Test
  void aFullDiskOfTheCheckoutIsToldAndLeavesNothing() throws Exception {
    Files.createDirectory(output);
    Files.createDirectory(state);
    try (Mount full = Mount.of("tmpfs", state, "tmpfs", 0, "size=1m")) {
      build();
      Command.Result result = pack().environment("SIZE", "3000000").tryRun();
      assertThat(result.stderr())
          .matches(
              "Packing .*\nerror: the file system of "
                  + java.util.regex.Pattern.quote(state.toString())
                  + " is full: packing takes about \\d+ MiB there; free some space\n");
      assertThat(result.status()).isEqualTo(1);
      assertNothingIsLeft();
    }
  }

  @Test
  void noRoomIsNeededWhereTemporaryFilesGo() throws Exception {
    build();
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    try (Mount full = Mount.of("tmpfs", temporary, "tmpfs", 0, "nr_inodes=1")) {
      assertThat(pack().environment("TMPDIR", temporary.toString()).run().text().lines())
          .hasSize(2);
    }
  }

  @Test
  void aFolderThatTakesNoFilesIsTold() throws Exception {
    build();
    Files.createFile(output);
    assertFails(
        slipway("package", "--output=" + output + "/below"),
        "error: nothing can be written to "
            + output
            + "/below (Not a directory); make it writable, or name another folder by --output");
  }

  @Test
  void whatAToolSaidStandsBelowTheSentence() throws Exception {
    build();
    assertFails(
        pack().environment("JLINK", "3"),
        "error: packing failed in " + state + "; the lines below say why",
        "  a line of jlink",
        "  another of jlink");
    assertNothingIsLeft();
  }

  @Test
  void whatIsThereAlreadyStaysUntilTheNewOneIsWhole() throws Exception {
    build();
    Path deb = Path.of(pack().run().text().lines().findFirst().orElseThrow());
    Files.writeString(deb, "earlier");
    assertThat(pack().environment("JLINK", "3").tryRun().status()).isEqualTo(1);
    assertThat(deb).hasContent("earlier");
    pack().run();
    assertThat(Command.of("dpkg-deb", "-f", deb.toString(), "Version").output()).isEqualTo("1.0");
  }

  @Test
  void whoWaitsForAnotherBuildIsTold() throws Exception {
    build();
    Process waiting;
    BufferedReader told;
    try (Flock other = Flock.file(state.resolve("lock"), true)) {
      waiting =
          new ProcessBuilder(checkout.resolve("tools/prepare").toString(), "ready", "package")
              .start();
      told = waiting.errorReader();
      assertThat(told.readLine())
          .isEqualTo("Waiting for another build of this checkout, " + checkout + ", to end ...");
    }
    assertThat(told.readLine()).isNull();
    assertThat(waiting.waitFor()).isZero();
    assertThat(
            Command.of(checkout.resolve("tools/prepare").toString(), "ready", "package")
                .run()
                .stderr())
        .isEmpty();
  }

  /** Maven is a script here, which fails. */
  @Test
  void aBuildTellsOfThePackingAfterItAndOfAFullDisk() throws Exception {
    script(jdk.resolve("bin/mvn"), "#!/bin/sh\necho \"[ERROR] x: $SAYS\"; exit 1\n");
    Command command = pack().environment("PATH", jdk.resolve("bin") + ":" + System.getenv("PATH"));
    Command.Result result = command.environment("SAYS", "No space left on device").tryRun();
    assertThat(result.stderr())
        .contains("It takes one to five minutes, and packing it about")
        .doesNotContain("[ERROR]")
        .matches("(?s).*\nslipway: the disk is full: a build takes .*; free some space there\n");
    assertThat(command.environment("SAYS", "a class").tryRun().stderr())
        .contains("[ERROR] x: a class\n", "slipway: the build failed; the whole log is ");
    assertThat(result.status()).isEqualTo(1);
    assertNothingIsLeft();
  }
}
