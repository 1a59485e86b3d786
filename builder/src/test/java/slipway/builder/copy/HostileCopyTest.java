package slipway.builder.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.base.Limit;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.engine.ImageDraft;
import slipway.builder.engine.Lab;
import slipway.builder.engine.LabCase;
import slipway.builder.files.CopySource;
import slipway.builder.files.IgnoreRules;
import slipway.builder.files.TreeCopier;
import slipway.builder.session.BuildRequest;
import slipway.linux.mount.Mount;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.tree.FileTree;

/**
 * COPY and ADD of Containerfiles, contexts and images that want to read, write or stop the host.
 */
@Timeout(120)
class HostileCopyTest extends LabCase {
  /** A way from any directory of a build to a file of the machine. */
  private String up(Path file) {
    return "../".repeat(30) + file.toString().substring(1);
  }

  @Test
  void namesOfDocumentsStayInTheImage() throws Exception {
    Path pwn = directory.resolve("pwn");
    for (String name : List.of(up(pwn), pwn.toString(), "..", ".", "a/b", "\"../x\"")) {
      assertThatThrownBy(
              () ->
                  lab.build(
                      "FROM scratch\nCOPY --chmod=4755 <<"
                          + name
                          + " /d/\nx\n"
                          + name.replace("\"", "")))
          .as(name)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: the document <<")
          .hasMessageContaining("becomes a file of that name");
    }
    assertThat(pwn).doesNotExist();
  }

  @Test
  void documentsOfTriggersStayInTheImage() throws Exception {
    Path pwn = directory.resolve("pwn");
    ImageDraft draft = ImageDraft.scratch(Platform.host());
    draft.onBuild.add("COPY --chmod=4755 <<" + up(pwn) + " /d/\nx\n" + up(pwn));
    lab.put("localhost/evil:1", draft.toConfig(null, List.of()));
    assertThatThrownBy(() -> lab.build("FROM localhost/evil:1\n"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("becomes a file of that name");
    assertThat(Files.exists(pwn)).isFalse();
  }

  @Test
  void documentsOfOneNameKeepTheirTexts() throws Exception {
    Manifest.Image image =
        lab.build("FROM scratch\nCOPY <<a /1/\none\na\nCOPY <<a <<b <<a /2/\nx\na\nw\nb\ny\na\n");
    assertThat(lab.text(image, "1/a")).isEqualTo("one\n");
    assertThat(lab.text(image, "2/a")).isEqualTo("y\n");
    assertThat(lab.text(image, "2/b")).isEqualTo("w\n");
  }

  @Test
  void theContainerfileIsARegularFileOfTheContext() throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "root:hash\n");
    Path context = lab.context("FROM scratch\n");
    Path file = context.resolve("Containerfile");
    Files.delete(file);
    for (String target : List.of(secret.toString(), "../secret")) {
      Files.createSymbolicLink(file, Path.of(target));
      assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
          .isInstanceOf(Problem.class)
          .hasMessage(file + " is a link that leads out; put the file itself there");
      assertThatThrownBy(() -> lab.build(BuildRequest.of(context).file(file)))
          .isInstanceOf(Problem.class)
          .hasMessage(file + " is a link that leads out; put the file itself there");
      Files.delete(file);
    }
    Posix.mknod(OsPath.of(file), Stat.S_IFIFO | 0600, 0);
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .isInstanceOf(Problem.class)
        .hasMessage(file + " is a pipe, not a regular file");
    Files.delete(file);
    Files.writeString(context.resolve("real"), "FROM scratch\nLABEL a=b\n");
    Files.createSymbolicLink(file, Path.of("real"));
    assertThat(lab.config(lab.build(BuildRequest.of(context))).labels()).containsEntry("a", "b");
  }

  /** As a shell's {@code -f <(…)} and {@code -f -} give it. */
  @Test
  void theUserMayNameAPipeElsewhere() throws Exception {
    Path pipe = directory.resolve("pipe");
    Posix.mknod(OsPath.of(pipe), Stat.S_IFIFO | 0600, 0);
    Process writer =
        Command.of("sh", "-c", "printf 'FROM scratch\\nLABEL a=b\\n' > " + pipe).start();
    try {
      Path context = lab.context("FROM nothing\n");
      Manifest.Image image = lab.build(BuildRequest.of(context).file(pipe));
      assertThat(lab.config(image).labels()).containsEntry("a", "b");
    } finally {
      Command.kill(writer);
    }
  }

  @Test
  void ignoreFilesAreRegularFilesOfTheContext() throws Exception {
    Files.writeString(directory.resolve("secret"), "[secret\n");
    for (String name :
        List.of(".containerignore", ".dockerignore", "Containerfile.containerignore")) {
      Path context = lab.context("FROM scratch\nCOPY . /\n");
      Files.createSymbolicLink(context.resolve(name), Path.of("../secret"));
      assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
          .isInstanceOf(Problem.class)
          .hasMessageEndingWith(name + " is a link that leads out; put the file itself there");
    }
    Path context = lab.context("FROM scratch\nCOPY . /\n");
    Files.write(context.resolve(".dockerignore"), new byte[] {(byte) 0xff});
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .isInstanceOf(Problem.class)
        .hasMessageEndingWith(".dockerignore is not UTF-8 text");
  }

  @Test
  @Tag("slow")
  void accountsOfAnImageAreRegularSmallFiles() throws Exception {
    Map<String, String> cases =
        Map.of(
            "rm passwd; mkfifo passwd",
            "the image's /etc/passwd is a pipe, not a regular file",
            "rm group; mkfifo group",
            "the image's /etc/group is a pipe, not a regular file",
            "truncate -s 5M passwd",
            "the image's /etc/passwd: more than 4 MiB",
            "rm passwd; ln -s /proc/self/environ passwd",
            "the user \"user\" is not in the image's /etc/passwd");
    for (Map.Entry<String, String> c : cases.entrySet()) {
      Path context = lab.context("FROM base:1\nCOPY --chown=user a /x\n");
      Files.writeString(context.resolve("a"), "a");
      Path root = directory.resolve("root-" + Math.abs(c.getKey().hashCode()));
      Lab.makeRoot(root);
      Command.of("sh", "-euc", c.getKey()).directory(root.resolve("etc")).run();
      lab.importRoot(root, Lab.BASE);
      assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
          .as(c.getKey())
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: " + c.getValue());
    }
  }

  @Test
  void idsThatAreNoNumbersAreTold() throws Exception {
    Path root = directory.resolve("root");
    Lab.makeRoot(root);
    Files.writeString(
        root.resolve("etc/passwd"),
        "root:x:0:0::/root:/bin/sh\nodd:x:1e3:5::/:/bin/sh\nbig:x:1:4294967295::/:/bin/sh\n");
    Files.writeString(root.resolve("etc/group"), "odd:x:-1:\n");
    lab.importRoot(root, Lab.BASE);
    Map<String, String> cases =
        Map.of(
            "odd", "the image's /etc/passwd gives the user \"odd\" the id \"1e3\"",
            "big", "the image's /etc/passwd gives the user \"big\" the id \"4294967295\"",
            "0:odd", "the image's /etc/group gives the group \"odd\" the id \"-1\"");
    for (Map.Entry<String, String> c : cases.entrySet()) {
      for (String line : List.of("COPY --chown=%s <<a /\na\n", "USER %s\nWORKDIR /x\n")) {
        assertThatThrownBy(() -> lab.build("FROM base:1\n" + line.formatted(c.getKey())))
            .isInstanceOf(Problem.class)
            .hasMessageContaining(c.getValue() + ", which is no number");
      }
    }
  }

  @Test
  void nothingHoldsANul() throws Exception {
    for (String line :
        List.of("ADD http://127.0.0.1:1/a%00b /x/", "COPY a\0b /x", "COPY <<a\0b /x\nx\na\0b")) {
      assertThatThrownBy(() -> lab.build("FROM scratch\n" + line + "\n"))
          .as(line)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: ")
          .hasMessageContaining("NUL character");
    }
    for (String field : List.of("Env", "WorkingDir", "User", "Shell")) {
      ImageDraft draft = ImageDraft.scratch(Platform.host());
      draft.setEnv("A", field.equals("Env") ? "a\0b" : "a");
      draft.workingDir = field.equals("WorkingDir") ? "/a\0b" : "/";
      draft.user = field.equals("User") ? "a\0b" : "0";
      draft.shell(List.of(field.equals("Shell") ? "a\0b" : "sh"));
      lab.put("localhost/evil:1", draft.toConfig(null, List.of()));
      assertThatThrownBy(() -> lab.build("FROM evil:1\nWORKDIR x$A\n"))
          .isInstanceOf(Problem.class)
          .hasMessageEndingWith(
              "Containerfile:1: the base image's " + field + " holds a NUL character; use another");
    }
  }

  @Test
  void onlyFilesDirectoriesLinksAndPipesComeFromAContext() throws Exception {
    Path context = lab.context("FROM scratch\nCOPY n /x\n");
    Path folder = Files.createDirectories(context.resolve("n/d"));
    Posix.mknod(OsPath.of(folder.resolve("pipe")), Stat.S_IFIFO | 0600, 0);
    try (var socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      socket.bind(UnixDomainSocketAddress.of(folder.resolve("socket")));
    }
    FileTree tree = lab.tree(lab.build(BuildRequest.of(context)));
    assertThat(tree.find("x/d/pipe")).isPresent();
    assertThat(tree.find("x/d/socket")).isEmpty(); // No layer can hold one.
    refused(
        context,
        "COPY n/d/socket /x",
        "\"n/d/socket\" in the build context is a socket, which no image can hold");
    Posix.mknod(OsPath.of(folder.resolve("null")), Stat.S_IFCHR | 0600, 0x103);
    String device =
        "\"n/d/null\" in the build context is a device, which COPY and ADD take from images only;"
            + " leave it out with .containerignore or --exclude";
    refused(context, "COPY n /x", device);
    refused(context, "COPY n/d/null /x", device);
    refused(context, "ADD n/d/null /x", device);
    Files.writeString(
        context.resolve("Containerfile"), "FROM scratch\nCOPY --exclude=d/null n /x\n");
    assertThat(lab.tree(lab.build(BuildRequest.of(context))).find("x/d/null")).isEmpty();
    Files.delete(folder.resolve("null"));
    Posix.mknod(OsPath.of(folder.resolve("null")), Stat.S_IFCHR | 0600, 0);
    refused(context, "COPY n /x", device);
  }

  @Test
  void archivesHoldNoMarksOfLayersAndNoOddAttributes() throws Exception {
    Path context = lab.context("");
    Command.of("sh", "-euc")
        .directory(context)
        .with(
            """
            mknod gone c 0 0; mknod null c 1 3; tar -cf zero.tar gone; tar -cf null.tar null
            echo x > .wh.f; tar -cf white.tar .wh.f; rm gone null .wh.f
            echo x > f
            tar --format=pax --pax-option=SCHILY.xattr.plain:=v -cf attribute.tar f
            """)
        .run();
    String mark =
        " in the archive marks a deleted file, as layers do, and cannot be copied; leave it out";
    refused(context, "ADD zero.tar /x/", "\"gone\"" + mark);
    refused(context, "ADD white.tar /x/", "\"f\"" + mark);
    refused(
        context,
        "ADD attribute.tar /x/",
        "\"f\" has the extended attribute \"plain\", which the file system here cannot keep; remove"
            + " it from the archive or image");
    Files.writeString(context.resolve("Containerfile"), "FROM scratch\nADD null.tar /x/\n");
    assertThat(lab.tree(lab.build(BuildRequest.of(context))).find("x/null")).isPresent();
  }

  /** The kernel says of such an attribute that no space is left, which is not so. */
  @Test
  void attributesThatAreTooLargeForTheFileSystemAreNoFullDisk() throws Exception {
    Path image = directory.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(64 << 20);
    }
    Command.of("mkfs.ext4", "-q", image.toString()).run();
    Path state = Files.createDirectory(directory.resolve("state"));
    Command.of("mount", "-o", "loop", image.toString(), state.toString()).run();
    Path context = Files.createDirectory(directory.resolve("context"));
    String large = "x".repeat(5000);
    try (Lab small = new Lab(state);
        Mount memory = Mount.of("tmpfs", context, "tmpfs", 0, "size=4m")) {
      Path file = Files.writeString(context.resolve("f"), "x");
      Command.of("tar", "-C", context.toString(), "--format=pax")
          .with("--pax-option=SCHILY.xattr.user.large:=" + large, "-cf", context + "/f.tar", "f")
          .run();
      Xattrs.lsetxattr(
          OsPath.of(file), OsPath.of("user.large"), large.getBytes(StandardCharsets.UTF_8));
      for (String line : List.of("COPY f /x/", "ADD f.tar /x/")) {
        Files.writeString(context.resolve("Containerfile"), "FROM scratch\n" + line + "\n");
        assertThatThrownBy(() -> small.build(BuildRequest.of(context)))
            .as(line)
            .isInstanceOf(Problem.class)
            .hasMessageContaining("Containerfile:2: ")
            .hasMessageContaining("the extended attribute \"user.large\"")
            .hasMessageNotContaining("no space is left");
      }
    } finally {
      Command.of("umount", state.toString()).run();
    }
  }

  private void refused(Path context, String instruction, String message) throws Exception {
    Files.writeString(context.resolve("Containerfile"), "FROM scratch\n" + instruction + "\n");
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .as(instruction)
        .isInstanceOf(Problem.class)
        .hasMessageEndingWith("Containerfile:2: " + message);
  }

  @Test
  void contextsAreBounded() throws Exception {
    Path context = lab.context("FROM scratch\nCOPY . /\n");
    Files.createDirectories(context.resolve("a/b/c/d"));
    for (int i = 0; i < 20; i++) {
      Files.writeString(context.resolve("a/" + i), "");
    }
    limited("layer-entries=22", context, "the build context: more than 22");
    limited("tree-depth=3", context, "the build context: more than 3");
    Files.writeString(context.resolve("Containerfile"), "FROM scratch\nCOPY --parents **/x /\n");
    limited("tree-depth=3", context, "more than 3");
    Files.writeString(context.resolve("Containerfile"), "FROM scratch\nCOPY a/* /\n");
    limited("layer-entries=10", context, "one directory: more than 10");
  }

  private void limited(String limit, Path context, String message) {
    Limit.set(limit, "the test");
    try {
      assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: ")
          .hasMessageContaining(message)
          .hasMessageContaining("--limit " + limit.substring(0, limit.indexOf('=')) + "=N");
    } finally {
      for (Limit l : Limit.values()) {
        Limit.set(l.label() + "=" + l.preset(), "the test");
      }
    }
  }

  @Test
  @Tag("slow")
  void longPathsAreTold() throws Exception {
    String name = "n".repeat(256);
    String path = "/" + "d/".repeat(2100);
    for (String line :
        List.of(
            "WORKDIR /" + name,
            "WORKDIR " + path,
            "COPY . /" + name + "/",
            "COPY . " + path + "x",
            "COPY " + name + " /x",
            "COPY --from=s " + path + " /x")) {
      assertThatThrownBy(
              () -> lab.build("FROM scratch AS s\nFROM scratch\nWORKDIR /x\n" + line + "\n"))
          .as(line.substring(0, 20))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:4: the path \"")
          .hasMessageEndingWith("…\" is too long: a name has at most 255 bytes, a path 4095");
    }
  }

  /** The links of a base image and of a context may have targets that no file system takes. */
  @Test
  void linksToNamesThatAreTooLongAreTold() throws Exception {
    Path root = directory.resolve("root");
    Lab.makeRoot(root);
    Path nowhere = Path.of("n".repeat(300));
    Files.createSymbolicLink(root.resolve("app"), nowhere);
    Files.createSymbolicLink(root.resolve("etc/hosts"), nowhere);
    lab.importRoot(root, "localhost/links:1");
    Path context = lab.context("");
    Files.writeString(context.resolve("x"), "x");
    Files.createSymbolicLink(context.resolve("to"), nowhere);
    for (String line :
        List.of(
            "RUN true",
            "COPY x /app/",
            "COPY x /app",
            "WORKDIR /app/sub",
            "COPY to/x /",
            "COPY --from=links:1 /app/x /")) {
      Files.writeString(context.resolve("Containerfile"), "FROM links:1\n" + line + "\n");
      assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
          .as(line)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: ")
          .hasMessageEndingWith(" leads through a name that is too long");
    }
  }

  @Test
  void levelsOfAStepAreTold() throws Exception {
    try {
      String many = "WORKDIR " + "/d".repeat(600) + "\n";
      assertThatThrownBy(() -> lab.build("FROM scratch\n" + many + "LABEL a=b\n"))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: what this step made: more than 512 (levels of ");
      String name = "/" + "d".repeat(250);
      String longer = "WORKDIR " + name.repeat(16) + "\n";
      assertThatThrownBy(() -> lab.build("FROM scratch\n" + longer))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: what this step made: directories lie so deep");
    } finally {
      Posix.removeTree(OsPath.of(directory.resolve("build"))); // JUnit cannot.
    }
  }

  /** Deeper than a path can be long: by descriptors there is no such bound. */
  @Test
  void pathsMayBeLongerThanTheKernelTakes() throws Exception {
    OsPath name = OsPath.of("d".repeat(200));
    Path from = Files.createDirectory(directory.resolve("from"));
    Path to = Files.createDirectory(directory.resolve("to"));
    try {
      OpenDirectory at = OpenDirectory.of(OsPath.of(from));
      for (int i = 0; i < 30; i++) {
        try (OpenDirectory parent = at) {
          at = parent.make(name);
        }
      }
      Posix.close(at.create(OsPath.of("f")));
      at.close();
      Position here = new Position("Containerfile", 1);
      CopySource source = new CopySource(OsPath.of(from), IgnoreRules.NONE, false, "the context");
      try (TreeCopier copier = new TreeCopier(OsPath.of(to), null, null, here)) {
        copier.copy(source, source.whole(), IgnoreRules.NONE, "/x", true);
      }
      OpenDirectory copied = OpenDirectory.of(OsPath.of(to.resolve("x")));
      for (int i = 0; i < 30; i++) {
        try (OpenDirectory parent = copied) {
          copied = parent.child(name);
        }
      }
      assertThat(copied.names()).containsExactly(OsPath.of("f"));
      copied.close();
    } finally {
      Posix.removeTree(OsPath.of(from));
      Posix.removeTree(OsPath.of(to));
    }
  }
}
