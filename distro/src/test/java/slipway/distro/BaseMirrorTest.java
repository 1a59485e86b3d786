package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;

class BaseMirrorTest {
  @TempDir Path apt;

  private void sources(String name, String text) throws IOException {
    Path file = apt.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void takesTheMirrorOfSourcesFilesWithCommentsInside() throws IOException {
    sources(
        "sources.list.d/debian.sources",
        """
        Types: deb deb-src
        # http://snapshot.debian.org/archive/debian/20250520T000000Z
        URIs: https://ftp.example.org/pub/debian
        Suites: bookworm
          bookworm-updates
        Components: main contrib

        Types: deb
        URIs: https://ftp.example.org/pub/debian-security
        Suites: bookworm-security
        Components: main
        """);
    BaseMirror mirror = BaseMirror.choose(null, apt);
    assertThat(mirror.main()).isEqualTo(URI.create("https://ftp.example.org/pub/debian"));
    assertThat(mirror.security())
        .isEqualTo(URI.create("https://ftp.example.org/pub/debian-security"));
  }

  @Test
  void takesTheMirrorOfOneLineSourcesWithOptions() throws IOException {
    sources(
        "sources.list",
        """
        # deb http://old.example.org/debian bookworm main
        deb cdrom:[Debian GNU/Linux]/ bookworm main
        deb-src http://source.example.org/debian bookworm main
        deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://near.example.org/debian/ trixie main # ours
        """);
    BaseMirror mirror = BaseMirror.choose(null, apt);
    assertThat(mirror.main()).isEqualTo(URI.create("http://near.example.org/debian/"));
    assertThat(mirror.security()).isEqualTo(URI.create("http://near.example.org/debian-security"));
  }

  @Test
  void passesOverOtherPeoplesRepositoriesAndWhatIsTurnedOff() throws IOException {
    sources(
        "sources.list.d/a.list", "deb https://download.example.com/linux/debian trixie stable\n");
    sources("sources.list.d/b.list", "deb https://repo.example.com/apt stable main\n");
    sources("sources.list.d/c.list", "deb http://archive.ubuntu.com/ubuntu noble main\n");
    sources(
        "sources.list.d/d.sources",
        """
        Enabled: no
        Types: deb
        URIs: http://off.example.org/debian
        Suites: trixie
        Components: main
        """);
    BaseMirror mirror = BaseMirror.choose(null, apt);
    assertThat(mirror.main()).isEqualTo(URI.create("http://deb.debian.org/debian"));
    assertThat(mirror.security()).isEqualTo(URI.create("http://deb.debian.org/debian-security"));
  }

  @Test
  void theGivenMirrorWins() throws IOException {
    sources("sources.list", "deb http://near.example.org/debian trixie main\n");
    BaseMirror mirror = BaseMirror.choose(URI.create("https://m.example.org/mirror/"), apt);
    assertThat(mirror.main()).isEqualTo(URI.create("https://m.example.org/mirror/"));
    assertThat(mirror.security()).isNull();
    assertThatThrownBy(() -> BaseMirror.choose(URI.create("ftp://m.example.org/debian"), apt))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("ftp://m.example.org/debian");
  }

  @Test
  void writesSourcesForTheImageWithoutCredentials() {
    BaseMirror mirror =
        BaseMirror.choose(URI.create("https://me:secret@m.example.org/debian"), apt);
    String file = mirror.sourcesFile("trixie");
    assertThat(file).doesNotContain("secret").contains("URIs: https://m.example.org/debian\n");
    assertThat(BaseMirror.deb822(file))
        .extracting(BaseMirror.Source::suites)
        .containsExactly(
            java.util.List.of("trixie", "trixie-updates"), java.util.List.of("trixie-security"));
    assertThat(BaseMirror.deb822(mirror.sourcesFile("sid")))
        .extracting(BaseMirror.Source::suites)
        .containsExactly(java.util.List.of("sid"));
  }

  @Test
  void namesArchivesAsAptDoes() {
    assertThat(
            BaseBootstrap.archiveNames(
                """
                Package: attr
                Architecture: amd64
                Description: x
                 more
                Version: 1:2.5.2-3+deb13u1
                """))
        .containsExactly("attr_1%3a2.5.2-3+deb13u1_amd64.deb");
  }

  @Test
  void tellsWhatMmdebstrapDoes() {
    assertThat(BaseBootstrap.phase("I: installing essential packages..."))
        .contains("installing essential packages");
    assertThat(BaseBootstrap.phase("I: running --setup-hook in shell: sh -c 'cp x y' exec /tmp/r"))
        .contains("running --setup-hook");
    assertThat(BaseBootstrap.phase("I: running --customize-hook directly: /x /tmp/r"))
        .contains("running --customize-hook");
    assertThat(BaseBootstrap.phase("Get:1 http://deb.debian.org/debian trixie InRelease"))
        .isEmpty();
  }
}
