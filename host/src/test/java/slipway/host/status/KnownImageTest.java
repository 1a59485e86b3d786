package slipway.host.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.system.HostMachine;

class KnownImageTest {
  private HostMachine machine;
  private Path bound;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(HostMachine.NAME, HostMachine.Image.of("1"));
    machine.install();
    bound = Files.createDirectories(machine.root().resolve("usr/lib/bootc/bound-images.d"));
    Files.createDirectories(machine.root().resolve("usr/share/containers/systemd"));
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private List<KnownImage> list(KnownImage.Type type) throws IOException {
    return KnownImage.list(machine.environment(), type);
  }

  private void bind(String name, String content) throws IOException {
    String file = "usr/share/containers/systemd/" + name;
    Files.writeString(machine.root().resolve(file), content);
    Files.createSymbolicLink(bound.resolve(name), Path.of("/" + file));
  }

  @Test
  void listsWhatIsInstalledAndWhatIsBoundToIt() throws IOException {
    bind(
        "web.container",
        "# a\n[Unit]\nImage=no\n[Container]\nExec=a \\\n  b\nImage=r.example/web:1\n");
    bind("db.image", "[Image]\n;Image=no\nImage = r.example/100%%:1\n");
    KnownImage host = new KnownImage("docker://" + HostMachine.NAME, KnownImage.Type.HOST);
    KnownImage db = new KnownImage("r.example/100%:1", KnownImage.Type.LOGICAL);
    KnownImage web = new KnownImage("r.example/web:1", KnownImage.Type.LOGICAL);
    assertThat(list(KnownImage.Type.ALL)).containsExactly(host, db, web);
    assertThat(list(KnownImage.Type.HOST)).containsExactly(host);
    assertThat(list(KnownImage.Type.LOGICAL)).containsExactly(db, web);
    assertThat(KnownImage.json(List.of(host, web)))
        .isEqualTo(
            "[{\"image\":\"docker://registry.example/os:1\",\"image_type\":\"host\"},"
                + "{\"image\":\"r.example/web:1\",\"image_type\":\"logical\"}]");
    // In a container only what is bound to it.
    Files.delete(machine.run().resolve("ostree-booted"));
    assertThat(list(KnownImage.Type.ALL)).containsExactly(db, web);
    assertThatThrownBy(() -> list(KnownImage.Type.HOST))
        .hasMessage("Listing host images requires a booted bootc system");
  }

  @Test
  void saysWhatCannotBeBound() throws IOException {
    refuse("a.image", "[Image]\nImage=r/%i\n", "has a specifier of systemd in Image");
    refuse("a.image", "[Image]\nImage=r/a\nAuthFile=/x\n", "has AuthFile");
    refuse(
        "a.image", "[Image]\nImage=r/" + "a".repeat(100_000), "has an Image of 100002 characters");
    refuse("a.container", "[Image]\nImage=r/a\n", "names no image: [Container] Image=");
    refuse("a.volume", "", "is neither an .image nor a .container file");
    Files.createSymbolicLink(bound.resolve("b.image"), Path.of("/nowhere"));
    refuse("leads to no file");
    Files.delete(bound.resolve("b.image"));
    Files.writeString(bound.resolve("c.image"), "[Image]\nImage=r/a\n");
    refuse("is no symbolic link to an image or container file");
    Files.delete(bound.resolve("c.image"));
    Files.delete(bound);
    Files.writeString(bound, "r/a\n");
    refuse("/usr/lib/bootc/bound-images.d is no folder");
  }

  private void refuse(String name, String content, String message) throws IOException {
    bind(name, content);
    refuse("/usr/lib/bootc/bound-images.d/" + name + " " + message);
    Files.delete(bound.resolve(name));
  }

  private void refuse(String message) {
    assertThatThrownBy(() -> list(KnownImage.Type.LOGICAL))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(message);
  }
}
