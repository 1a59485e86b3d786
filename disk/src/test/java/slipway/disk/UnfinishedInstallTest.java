package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Notes;
import slipway.disk.FilesystemInstall.Replace;
import slipway.disk.config.BootLoader;
import slipway.disk.config.RootFileSystem;
import slipway.linux.process.Command;

/** What an installation leaves that is killed, and what it makes of a repository that was there. */
class UnfinishedInstallTest extends FilesystemCase {
  /** Nothing but a kill ends an installation so: no failure that anything is cleaned up behind. */
  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  private FilesystemInstall.Request killed(Replace replace) throws IOException {
    return onto(
        root,
        replace,
        wishes(
            null,
            (to, files) -> {
              throw new Killed();
            }));
  }

  private void kill(Replace replace) {
    assertThatThrownBy(() -> install(killed(replace))).isInstanceOf(Killed.class);
    assertThat(root.resolve("ostree/repo/config")).exists();
  }

  @Test
  @Tag("slow")
  void onAnEmptyRootItIsTakenAway() throws Exception {
    one(RootFileSystem.EXT4);
    kill(Replace.NOTHING);
    Files.writeString(root.resolve("ostree/repo/objects/left"), "over");
    // Nobody but the installation wrote there, but for this.
    Path mine = Files.writeString(root.resolve("boot.txt"), "mine");
    refused(request(Replace.NOTHING), " is not empty, it holds boot.txt");
    assertThat(root.resolve("ostree/repo/objects/left")).exists();
    Files.delete(mine);
    install(request(Replace.NOTHING));
    assertThat(notes).contains("removing what an unfinished installation left on " + root);
    assertThat(root.resolve("ostree/repo/objects/left")).doesNotExist();
    judged();
    assertThat(marks()).isEmpty();
    refused(request(Replace.NOTHING), " is not empty, it holds ");
  }

  @Test
  @Tag("slow")
  void behindItsBootMenuItIsTakenAwayToo() throws Exception {
    parts(RootFileSystem.EXT4);
    loader("systemd", "any");
    assertThatThrownBy(
            () ->
                FilesystemInstall.run(
                    request(Replace.NOTHING),
                    running -> {},
                    new Notes(
                        line -> {
                          if (line.startsWith("systemd-boot of another system stays")) {
                            throw new Killed();
                          }
                        })))
        .isInstanceOf(Killed.class);
    assertThat(root.resolve("boot/grub/grub.cfg")).exists();
    assertThat(marks()).hasSize(1);
    Path var = root.resolve("ostree/deploy/default/var/.updated");
    Files.createFile(var);
    refused(request(Replace.NOTHING), "a machine has run on ");
    Files.delete(var);
    install(request(Replace.NOTHING));
    judged();
    assertThat(marks()).isEmpty();
  }

  /** No object of it is used, whatever its name is, and no image of the store. */
  @Test
  @Tag("slow")
  void aRepositoryAndAStoreThatWereThereAreSetAside() throws Exception {
    one(RootFileSystem.EXT4);
    install(onto(root, Replace.NOTHING, wishes(BootLoader.NONE)));
    for (Path object : objects("ostree/repo")) {
      Files.writeString(object, "not what its name says");
    }
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Files.createDirectories(root.resolve("ostree/bootc"));
    Files.createSymbolicLink(root.resolve("ostree/bootc/storage"), outside);
    for (boolean stopped : new boolean[] {true, false}) {
      if (stopped) {
        kill(Replace.ALONGSIDE);
      } else {
        install(onto(root, Replace.ALONGSIDE, wishes(BootLoader.NONE)));
      }
      assertThat(objects("ostree/repo.old/1"))
          .isNotEmpty()
          .allSatisfy(object -> assertThat(object).hasContent("not what its name says"));
      assertThat(root.resolve("ostree/repo.old/2")).doesNotExist();
      assertThat(root.resolve("ostree/bootc")).doesNotExist();
      assertThat(root.resolve("ostree/bootc.old/1/storage")).isSymbolicLink();
      assertThat(root.resolve("ostree/bootc.old/2")).doesNotExist();
    }
    judged();
    assertThat(marks()).isEmpty();
    assertThat(notes)
        .anyMatch(line -> line.contains(" is not used, because nobody knows whether its objects"));
    assertThat(notes)
        .anyMatch(line -> line.contains("whether its images are those that they are called"));
    // One that comes to nothing leaves all as it was.
    Path image = root.resolve("ostree/bootc/storage/image");
    Files.createDirectories(image);
    Path kernel = tree.resolve("usr/lib/modules").resolve(TestImage.KERNEL).resolve("vmlinuz");
    Files.delete(kernel);
    assertThatThrownBy(() -> install(request(Replace.ALONGSIDE)))
        .hasMessageContaining("the image has no kernel");
    assertThat(root.resolve("ostree/repo.old/2")).doesNotExist();
    assertThat(root.resolve("ostree/bootc.old/2")).doesNotExist();
    assertThat(image).isDirectory();
    assertThat(marks()).isEmpty();
    Command.of("ostree", "fsck", "--repo=" + root.resolve("ostree/repo")).run();
  }

  private List<Path> objects(String repository) throws IOException {
    try (Stream<Path> all = Files.walk(root.resolve(repository).resolve("objects"))) {
      return all.filter(f -> Files.isRegularFile(f) && f.toString().endsWith(".file")).toList();
    }
  }

  private List<Path> marks() throws IOException {
    try (Stream<Path> all = Files.list(root.resolve("ostree"))) {
      return all.filter(f -> f.getFileName().toString().startsWith(".slipway")).toList();
    }
  }
}
