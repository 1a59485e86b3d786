package slipway.host.install;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.system.HostEnvironment;
import slipway.host.system.SystemActions;
import slipway.linux.mount.Mount;

class ContainerViewTest {
  @TempDir Path directory;
  private Path root;
  private Path target;
  private ContainerView view;

  @BeforeEach
  void folders() throws IOException {
    root = Files.createDirectories(directory.resolve("root"));
    target = directory.resolve("target");
    Files.createDirectories(root.resolve("proc/1"));
    Files.createDirectories(directory.resolve("run"));
    view =
        new ContainerView(
            new HostEnvironment(
                root,
                directory.resolve("run"),
                Map.of(),
                text -> {},
                Progress.NONE,
                reference -> {
                  throw new AssertionError("nothing is fetched");
                },
                SystemActions.systemd(),
                InstantSource.system()));
    Files.createSymbolicLink(root.resolve("proc/1/root"), root);
  }

  @Test
  void allMissingOptionsAreNamedInOneSentence() throws Exception {
    Path mark = directory.resolve("run/.containerenv");
    assertThatCode(() -> view.requireMachine(target, true)).doesNotThrowAnyException();
    Files.createFile(mark);
    assertThatThrownBy(() -> view.requireMachine(target, true))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "this container sees too little of the machine; give podman run --privileged --pid=host"
                + " -v /:"
                + target
                + " -v /var/lib/containers:/var/lib/containers, too");
    Files.writeString(mark, "engine=\"podman\"\n");
    Files.createDirectories(root.resolve("var/lib/containers/storage"));
    Path machine = Files.createDirectory(directory.resolve("machine"));
    Files.delete(root.resolve("proc/1/root"));
    Files.createSymbolicLink(root.resolve("proc/1/root"), machine);
    Files.createDirectories(target);
    assertThatThrownBy(() -> view.requireMachine(target, true))
        .hasMessageEndingWith("give podman run -v /:" + target + ", too");
    try (Mount m = Mount.of("tmpfs", target, "tmpfs", 0, null)) {
      assertThatCode(() -> view.requireMachine(m.target(), true)).doesNotThrowAnyException();
    }
  }
}
