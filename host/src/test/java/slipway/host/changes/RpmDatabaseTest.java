package slipway.host.changes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.tree.DirectoryReader;

/** A database that rpm wrote. */
@Tag("slow")
class RpmDatabaseTest {
  private static final byte[] NO_LOG = new byte[0];

  @TempDir static Path dir;
  private static Path database;

  @BeforeAll
  static void install() throws IOException {
    database = dir.resolve("usr/lib/sysimage/rpm/rpmdb.sqlite");
    Files.createDirectories(database.getParent());
    // Headers that need many pages, as those of packages with many files do.
    String files =
        "touch %{buildroot}/usr/share/large/".concat("a".repeat(150)).concat("-{1..900}");
    build("large", "1", "noarch", "mkdir -p %{buildroot}/usr/share/large; " + files);
    build("plain", "1.2~rc1", "noarch", "true");
    build("kernel", "6.1", "x86_64", "true");
    build("kernel", "6.2", "x86_64", "true");
    build("lib", "3", "x86_64", "true");
    build("lib", "3", "i686", "true");
    build("epoch", "1", "x86_64", "true");
    Command.of(
            "bash",
            "-c",
            "rpm --dbpath "
                + database.getParent()
                + " --justdb --nodeps"
                + " --noscripts --ignorearch --ignoreos --force -i */*.rpm")
        .directory(dir.resolve("rpms"))
        .run();
  }

  private static void build(String name, String version, String architecture, String install)
      throws IOException {
    Path spec = dir.resolve("spec");
    Files.writeString(
        spec,
        """
        %%global __os_install_post %%{nil}
        Name: %s
        Version: %s
        Release: 7.fc40
        %sSummary: s
        License: l
        %%description
        d
        %%install
        %s
        %%files
        %s
        """
            .formatted(
                name,
                version,
                name.equals("epoch") ? "Epoch: 2\n" : "",
                install,
                name.equals("large") ? "/usr/share/large" : ""));
    Command.of("rpmbuild", "-bb", "--quiet", "--target", architecture + "-linux")
        .with("--define", "_rpmdir " + dir.resolve("rpms"))
        .with("--define", "_topdir " + dir.resolve("top"))
        .with("--define", "_build_id_links none")
        .with("--define", "debug_package %{nil}")
        .with(spec.toString())
        .run();
  }

  private static void assertInstalled(SortedMap<String, String> packages) {
    assertThat(packages)
        .hasSize(6)
        .containsEntry("large", "1-7.fc40")
        .containsEntry("plain", "1.2~rc1-7.fc40")
        .containsEntry("kernel", "6.1-7.fc40, 6.2-7.fc40")
        .containsEntry("lib", "3-7.fc40")
        .containsEntry("lib.i686", "3-7.fc40")
        .containsEntry("epoch", "2:1-7.fc40");
  }

  @Test
  void packagesAreThoseThatRpmLists() throws IOException {
    assertInstalled(RpmDatabase.read(DirectoryReader.read(dir)));
  }

  /** What a writer that was killed leaves is in the log alone. */
  @Test
  void whatIsInTheLogCounts() throws IOException {
    Path copy = Files.copy(database, dir.resolve("copy.sqlite"));
    Path log = dir.resolve("copy.sqlite-wal");
    Command.of(
            "python3",
            "-c",
            """
        import os, sqlite3, sys
        db = sqlite3.connect(sys.argv[1])
        db.execute("pragma journal_mode=wal")
        db.execute("pragma wal_autocheckpoint=0")
        db.execute("delete from Packages where hnum = (select max(hnum) from Packages)")
        db.commit()
        os._exit(0)
        """,
            copy.toString())
        .run();
    byte[] bytes = Files.readAllBytes(copy);
    byte[] wal = Files.readAllBytes(log);
    assertThat(wal).isNotEmpty();
    SortedMap<String, String> packages = RpmDatabase.read("db", bytes, wal);
    assertThat(packages).hasSize(5);
    // One that ends in the middle, or belongs to another database, adds nothing.
    assertInstalled(RpmDatabase.read("db", bytes, Arrays.copyOf(wal, 100)));
    wal[40] ^= 1;
    assertInstalled(RpmDatabase.read("db", bytes, wal));
  }

  @Test
  void damageIsAProblemAndNothingWorse() throws IOException {
    byte[] good = Files.readAllBytes(database);
    Random random = new Random(7);
    for (int i = 0; i < 300; i++) {
      byte[] bad = good.clone();
      for (int n = 0; n < 1 + i / 20; n++) {
        // Most of it is content; what leads from page to page is at their beginnings.
        int page = random.nextInt(bad.length / 4096) * 4096;
        bad[page + random.nextInt(i % 2 == 0 ? 16 : 4096)] = (byte) random.nextInt();
      }
      try {
        RpmDatabase.read("the image's db", bad, NO_LOG);
      } catch (Problem e) {
        assertThat(e.kind()).isEqualTo(Problem.Kind.CORRUPT);
      }
    }
    assertThatThrownBy(() -> RpmDatabase.read("the image's db", new byte[200], NO_LOG))
        .hasMessage("the image's db is no SQLite database");
    assertThatThrownBy(() -> RpmDatabase.read("the image's db", Arrays.copyOf(good, 8192), NO_LOG))
        .isInstanceOf(Problem.class);
  }
}
