package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarOptions;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;
import slipway.tree.FileTrees.Ignore;

/** GNU tar, bsdtar and Python's tarfile as peers, in both directions. */
class TarInteropTest extends OnDisk {
  /** GNU tar stores a second fifo. */
  private static final String FIFO_LINK = "dev/fifo2";

  /** libarchive takes the fraction of a time before 1970 the wrong way round. */
  private static final String BEFORE_1970 = "ancient";

  private static final String PYTHON_WRITE =
      """
      import sys, tarfile
      format = {"pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}[sys.argv[3]]
      with tarfile.open(sys.argv[2], "w", format=format) as t:
          t.add(sys.argv[1], ".", recursive=True)
      """;
  private static final String PYTHON_EXTRACT =
      """
      import sys, tarfile
      with tarfile.open(sys.argv[1]) as t:
          t.extractall(sys.argv[2], numeric_owner=True)
      """;

  /** The sample without what the peer cannot store. */
  private FileTree source(String... without) throws Exception {
    SampleTree.create(dir.resolve("source"));
    for (String name : without) {
      Posix.unlink(dir.resolve("source").resolve(name));
    }
    return DirectoryReader.read(path("source"));
  }

  private Command gnuTar(String... arguments) {
    return Command.of("tar", "--numeric-owner", "--xattrs", "--xattrs-include=*").with(arguments);
  }

  @Test
  void readsPaxOfGnuTarExactly() throws Exception {
    FileTree source = source(FIFO_LINK);
    gnuTar("--posix", "-C", text("source"), "-cf", text("tar"), ".").run();
    assertSame(source, readTree(path("tar")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gnu", "oldgnu"})
  void readsGnuFormats(String format) throws Exception {
    FileTree source = source(FIFO_LINK);
    Command.of("tar", "--format=" + format, "-C", text("source"), "-cf", text("tar"), ".").run();
    assertSame(source, readTree(path("tar")), Ignore.MTIME, Ignore.XATTRS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ustar", "v7"})
  void readsOldFormats(String format) throws Exception {
    SampleTree.create(dir.resolve("source"));
    Posix.removeTree(dir.resolve("source/names"));
    Posix.unlink(dir.resolve("source/bigids"));
    Posix.unlink(dir.resolve("source").resolve(BEFORE_1970));
    Posix.unlink(dir.resolve("source").resolve(FIFO_LINK));
    if (format.equals("v7")) {
      Posix.removeTree(dir.resolve("source/dev"));
    }
    Files.createDirectories(
        path("source/" + "p".repeat(99) + "/" + (format.equals("v7") ? "" : "q".repeat(50))));
    if (format.equals("v7")) {
      Files.delete(path("source/" + "p".repeat(99)));
    } else {
      Files.writeString(path("source/" + "p".repeat(99) + "/" + "q".repeat(50) + "/file"), "x");
    }
    FileTree source = DirectoryReader.read(path("source"));
    Command.of("tar", "--format=" + format, "-C", text("source"), "-cf", text("tar"), ".").run();
    assertSame(source, readTree(path("tar")), Ignore.MTIME, Ignore.XATTRS);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--format=gnu",
        "--sparse-version=0.0",
        "--sparse-version=0.1",
        "--sparse-version=1.0"
      })
  void readsSparseFiles(String option) throws Exception {
    Posix.mkdir(dir.resolve("source"), 0755);
    for (int file = 0; file < 3; file++) {
      int fd = Posix.open(dir.resolve("source/f" + file), Posix.O_WRONLY | Posix.O_CREAT, 0644);
      for (int piece = 0; piece < 60 * file; piece++) {
        Posix.seek(fd, piece * 20_000L + 9000);
        Posix.write(fd, new byte[] {1, 2, 3, (byte) piece}, 0, 4);
      }
      Posix.ftruncate(fd, 5_000_000);
      Posix.close(fd);
    }
    FileTree source = DirectoryReader.read(path("source"));
    Command tar = Command.of("tar", "-S", "-C", text("source"), "-cf", text("tar"));
    tar = option.startsWith("--format") ? tar.with(option, ".") : tar.with("--posix", option, ".");
    tar.run();
    assertThat(Files.size(path("tar"))).isLessThan(2_000_000);
    assertSame(source, readTree(path("tar")), Ignore.MTIME);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pax", "gnutar"})
  void readsBsdtar(String format) throws Exception {
    FileTree source = format.equals("pax") ? source(BEFORE_1970) : source(BEFORE_1970, "dev/big");
    // It warns of the names that are no UTF-8 but stores them.
    Command.of(
            "bsdtar",
            "--format=" + format,
            "--xattrs",
            "-C",
            text("source"),
            "-cf",
            text("tar"),
            ".")
        .tryRun();
    if (format.equals("pax")) {
      // libarchive keeps hard links to symbolic links and devices apart.
      assertSame(source, readTree(path("tar")), Ignore.HARD_LINKS);
    } else {
      assertSame(source, readTree(path("tar")), Ignore.MTIME, Ignore.XATTRS, Ignore.HARD_LINKS);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pax", "gnu"})
  void readsPythonTarfile(String format) throws Exception {
    FileTree source = source();
    Command.of("/usr/bin/python3", "-c", PYTHON_WRITE, text("source"), text("tar"), format).run();
    assertSame(source, readTree(path("tar")), Ignore.MTIME, Ignore.XATTRS, Ignore.HARD_LINKS);
  }

  @Test
  void gnuTarExtractsWhatWeWrite() throws Exception {
    FileTree source = source();
    writeTar("tar", source);
    Posix.mkdir(dir.resolve("out"), 0700);
    gnuTar("-C", text("out"), "-xpf", text("tar")).run();
    assertSame(source, DirectoryReader.read(path("out")));
  }

  @Test
  void bsdtarExtractsWhatWeWrite() throws Exception {
    FileTree source = source(BEFORE_1970);
    writeTar("tar", source);
    Posix.mkdir(dir.resolve("out"), 0700);
    Command.of("bsdtar", "--numeric-owner", "--xattrs", "-C", text("out"), "-xpf", text("tar"))
        .run();
    assertSame(source, DirectoryReader.read(path("out")), Ignore.ROOT);
  }

  @Test
  void pythonExtractsWhatWeWrite() throws Exception {
    FileTree source = source();
    writeTar("tar", source);
    Posix.mkdir(dir.resolve("out"), 0700);
    Command.of("/usr/bin/python3", "-c", PYTHON_EXTRACT, text("tar"), text("out")).run();
    assertSame(source, DirectoryReader.read(path("out")), Ignore.MTIME, Ignore.XATTRS);
  }

  @Test
  void theSameTreeGivesTheSameBytes() throws Exception {
    FileTree source = source();
    writeTar("one", source);
    writeTar("two", DirectoryReader.read(path("source")));
    writeTar("three", readTree(path("one")));
    assertThat(Files.mismatch(path("one"), path("two"))).isEqualTo(-1);
    assertThat(Files.mismatch(path("one"), path("three"))).isEqualTo(-1);
    byte[] end = Files.readAllBytes(path("one"));
    assertThat(end.length % 512).isZero();
    assertThat(java.util.Arrays.copyOfRange(end, end.length - 1024, end.length))
        .isEqualTo(new byte[1024]);
  }

  @Test
  void plainTreesNeedNoExtendedHeaders() throws Exception {
    FileTree tree =
        new TreeBuilder()
            .file("etc/hostname", 0644, new byte[] {'x', '\n'})
            .symlink("bin", "usr/bin")
            .build();
    writeTar("tar", tree);
    // Root, bin, etc, the file and its content, two zero blocks.
    assertThat(Files.size(path("tar"))).isEqualTo(7 * 512);
    List<String> lines =
        Command.of("tar", "--utc", "--numeric-owner", "-tvf", text("tar"))
            .run()
            .text()
            .lines()
            .toList();
    assertThat(lines)
        .containsExactly(
            "drwxr-xr-x 0/0               0 1970-01-01 00:00 ./",
            "lrwxrwxrwx 0/0               0 1970-01-01 00:00 bin -> usr/bin",
            "drwxr-xr-x 0/0               0 1970-01-01 00:00 etc/",
            "-rw-r--r-- 0/0               2 1970-01-01 00:00 etc/hostname");
  }

  @Test
  void timesAreClampedToTheEpoch() throws Exception {
    FileTree source = source();
    try (var out = Files.newOutputStream(path("tar"))) {
      TarWriter.write(out, source, new TarOptions(1_400_000_000L));
    }
    List<String> late = new ArrayList<>();
    readTree(path("tar"))
        .walk(
            (path, node) -> {
              Metadata m = node.metadata();
              Metadata before = source.find(path).orElseThrow().metadata();
              boolean kept = before.mtimeSeconds() < 1_400_000_000L;
              if (m.mtimeSeconds() > 1_400_000_000L
                  || (m.mtimeSeconds() == 1_400_000_000L && m.mtimeNanos() > 0)
                  || (kept && m.mtimeNanos() != before.mtimeNanos())) {
                late.add(path.toString());
              }
            });
    assertThat(late).isEmpty();
    assertThat(source.find("dev/sda").orElseThrow().metadata().type()).isEqualTo(Stat.S_IFBLK);
  }
}
