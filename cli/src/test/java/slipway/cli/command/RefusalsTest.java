package slipway.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.cli.Ran;
import slipway.cli.disk.VmCommand;
import slipway.cli.output.OutputFile;
import slipway.linux.process.Command;
import slipway.media.PortForward;
import slipway.oci.copy.ImageSink;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/** What is refused before any work, and in which words. */
class RefusalsTest {
  @TempDir Path dir;

  private static Ran run(String... arguments) {
    return Ran.of("slipway", arguments);
  }

  private String root() throws Exception {
    Path root = dir.resolve("state");
    byte[] config = ImageConfig.empty(Platform.host()).toJson();
    Descriptor descriptor =
        Descriptor.of(MediaTypes.OCI_CONFIG, Digest.sha256(config), config.length);
    try (LocalStore store = LocalStore.open(root.resolve("store"));
        ImageSink sink = store.sink(LocalStore.localName("web:1"))) {
      sink.putBlob(descriptor, offset -> new ByteArrayInputStream(config));
      sink.putManifest(Manifest.Image.of(descriptor, List.of(), Map.of()), sink.defaultTag());
    }
    return root.toString();
  }

  @Test
  void memoryIsMebibytesOrASize() {
    assertThat(VmCommand.Run.mebibytes("2048")).isEqualTo(2048);
    assertThat(VmCommand.Run.mebibytes("2G")).isEqualTo(2048);
    assertThat(VmCommand.Run.mebibytes("512m")).isEqualTo(512);
    for (String bad : new String[] {"1", "127", "1G2", "-5", "99999T", "big", "999999999"}) {
      assertThatThrownBy(() -> VmCommand.Run.mebibytes(bad))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.USAGE))
          .hasMessageContaining("--memory");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --memory 1      | 128 MiB
          --memory x      | --memory "x" is not a size
          --forward 8080  | --forward 8080 lacks a port
          --arch sparc    | --arch "sparc" is none that machines have; there are amd64 and arm64
          """)
  void aMachineThatCannotBe(String option, String words) throws Exception {
    Path disk = Files.writeString(dir.resolve("x.raw"), "x");
    String[] o = option.split(" ");
    Ran ran = run("vm", "run", o[0], o[1], disk.toString());
    assertThat(ran.err()).startsWith("error: ").contains(words);
    assertThat(ran.status()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({"none/x.tar,does not exist", "folder,is a folder", "link,leads nowhere"})
  void anArchiveThatCannotBeWritten(String name, String words) throws Exception {
    String root = root();
    Files.createDirectory(dir.resolve("folder"));
    Files.createSymbolicLink(dir.resolve("link"), dir.resolve("none/x"));
    Ran ran = run("save", "--root", root, "-q", "-o", dir.resolve(name).toString(), "web:1");
    assertThat(ran.err()).startsWith("error: --output ").contains(words).doesNotContain(".tmp");
    assertThat(ran.status()).isEqualTo(2);
    assertThat(dir.resolve("none")).doesNotExist();
  }

  /** A digest in a name is a promise; an archive, a tag or a build cannot give another image it. */
  @Test
  void anotherImageDoesNotGetANameWithADigest() throws Exception {
    String root = root();
    String pinned = "localhost/good@sha256:" + "0".repeat(64);
    String promise = "error: the name " + pinned + " promises the manifest of its digest";
    Ran tagged = run("tag", "--root", root, "web:1", "fine:1", pinned);
    assertThat(tagged.err()).startsWith(promise);
    Path archive = dir.resolve("web.tar");
    assertThat(run("save", "--root", root, "-q", "-o", archive.toString(), "web:1").status())
        .isZero();
    Path unpacked = Files.createDirectory(dir.resolve("unpacked"));
    Command.of("tar", "-C", unpacked.toString(), "-xf", archive.toString()).run();
    Path index = unpacked.resolve("index.json");
    Files.writeString(index, Files.readString(index).replace("localhost/web:1", pinned));
    Command.of("tar", "-C", unpacked.toString(), "-cf", archive.toString(), ".").run();
    String other = dir.resolve("other").toString();
    Ran loaded = run("load", "--root", other, "-q", "-i", archive.toString());
    assertThat(loaded.err()).startsWith(promise);
    assertThat(loaded.status()).isEqualTo(tagged.status()).isNotZero();
    Path context = Files.createDirectory(dir.resolve("context"));
    Files.writeString(context.resolve("Containerfile"), "FROM scratch\n");
    Ran built = run("build", "--root", root, "-t", pinned, context.toString());
    assertThat(built.err())
        .startsWith("error: " + pinned + " cannot be the name of an image that is not made yet");
    assertThat(built.status()).isEqualTo(2);
    try (LocalStore store = LocalStore.open(Path.of(root, "store"));
        LocalStore empty = LocalStore.open(Path.of(other, "store"))) {
      assertThat(store.names()).extracting(LocalStore.Name::text).containsOnly("localhost/web:1");
      assertThat(empty.names()).isEmpty();
      assertThat(empty.unnamed()).isEmpty();
    }
  }

  @Test
  void aDeviceIsNotReplaced() {
    assertThatThrownBy(() -> OutputFile.check(Path.of("/dev/null"), "--iidfile"))
        .isInstanceOf(Problem.class)
        .hasMessage("--iidfile /dev/null is not a regular file; name another");
    assertThatThrownBy(() -> OutputFile.checkFolder(Path.of("/etc/passwd"), "--output"))
        .hasMessage("--output /etc/passwd is not a folder; name another");
  }

  @Test
  void aLinkStaysAndItsTargetIsWritten() throws Exception {
    Path file = Files.writeString(dir.resolve("real"), "");
    Path link = Files.createSymbolicLink(dir.resolve("link"), file);
    assertThat(OutputFile.check(link, "-o")).isEqualTo(file.toRealPath());
    assertThat(OutputFile.check(dir.resolve("new"), "-o")).isEqualTo(dir.resolve("new"));
  }

  @Test
  void aPushWithoutARegistryNamesTheDestination() throws Exception {
    Ran ran = run("push", "--root", root(), "-q", "localhost/web:1");
    assertThat(ran.err())
        .contains("slipway push localhost/web:1 REGISTRY/web:1")
        .doesNotContain("sha256");
    assertThat(ran.status()).isEqualTo(2);
  }

  @Test
  void aPortIsANumberThatPortsHave() throws Exception {
    Ran ran = run("push", "--root", root(), "-q", "web:1", "127.0.0.1:99999/web");
    assertThat(ran.err()).contains("\"127.0.0.1:99999\": a port is a number from 1 to 65535");
    assertThat(run("pull", "--root", root(), "-q", "[::1]:0/web").err()).contains("a port is");
  }

  @Test
  void theStateIsInTheHomeOfTheEnvironment() {
    assertThat(State.dataHome(Map.of("HOME", "/var/nobody")))
        .isEqualTo(Path.of("/var/nobody/.local/share"));
    assertThat(State.dataHome(Map.of("HOME", "/h", "XDG_DATA_HOME", "/d")))
        .isEqualTo(Path.of("/d"));
    assertThat(State.dataHome(Map.of("HOME", "/h", "XDG_DATA_HOME", "d")))
        .isEqualTo(Path.of("/h/.local/share"));
  }

  @Test
  void aStoreThatCannotBeSaysWhyAndWhatToDo() throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "x");
    assertThat(run("images", "--root", file.toString()).err())
        .startsWith("error: cannot open the image store " + file + "/store: ")
        .contains("not a folder")
        .contains("--root DIR");
  }

  @Test
  void aRegistryThatCannotStartLeavesNothing() throws Exception {
    Path storage = dir.resolve("storage");
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      Ran ran = run("registry", "serve", "--storage", storage.toString(), "--addr", address);
      assertThat(ran.err())
          .startsWith("error: cannot listen on " + address + ": the port is in use");
    }
    Ran ran = run("registry", "serve", "--storage", storage.toString(), "--addr", "203.0.113.5:0");
    assertThat(ran.err()).contains("203.0.113.5:0: this machine does not have that address");
    assertThat(storage).doesNotExist();
    Path file = Files.writeString(dir.resolve("file"), "x");
    ran = run("registry", "serve", "--storage", file.toString(), "--addr", "127.0.0.1:0");
    assertThat(ran.err()).contains(file + " is not a folder").doesNotContain("java.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          disk build --tpye raw x       | unknown option --tpye; did you mean --type?
          images --tpyes=1              | unknown option --tpyes; slipway images --help lists the options
          images --version              | unknown option --version; slipway --version tells the version
          disk build -V x               | unknown option -V; slipway --version tells the version
          bootc status --version        | unknown option --version; bootc --version tells the version
          bootc pin 1 2                 | unexpected argument "2"; bootc pin --help lists the arguments
          bootc delete                  | delete needs to know which deployment
          bootc delete 1 --staged       | delete needs to know which deployment
          bootc keep two                | N takes a whole number, not "two"
          bootc kargs                   | kargs needs to know what to do: list, add, delete or replace
          bootc kargs add               | ARG is missing; bootc kargs add --help lists the arguments
          bootc kargs replace --old a b c | --old names one argument, for which one other is given
          bootc loader-entries          | loader-entries needs to know what to do
          bootc loader-entries set-options-for-source | --source is missing; bootc loader-entries
          bootc etc                     | etc needs to know what to do: diff or restore
          bootc etc restore             | PATH is missing; bootc etc restore --help lists the arguments
          bootc completion              | the argument bash is missing; bootc completion --help lists the arguments
          bootc switch docker://a.b/c:1 | the image: a transport is an option of its own: --transport registry a.b/c:1
          bootc switch oci:/a/b         | the image: a transport is an option of its own: --transport oci /a/b
          bootc switch registry:x/y     | the image: a transport is an option of its own: --transport registry x/y
          bootc switch http://a.b/c     | the image: "http:" is not a registry host
          pull oci:/a/b                 | "oci:/a/b" is in no registry; slipway load reads it
          pull containers-storage:a/b   | "containers-storage:a/b" is in no registry; podman push brings it to one
          images extra                  | unexpected argument "extra"; slipway images --help lists the arguments
          self-image extra              | unexpected argument "extra"; slipway self-image --help lists the arguments
          system prnue                  | unknown command "prnue"; did you mean prune?
          system bogus                  | unknown command "bogus"; slipway system --help lists the commands
          imagse                        | unknown command "imagse"; did you mean images?
          vm run --vcpus 2G x           | --vcpus takes a whole number, not "2G"
          vm run --firmware u x         | --firmware takes bios or uefi, not "u"
          vm run --memory               | --memory lacks its value, SIZE; slipway vm run --help lists the options
          registry serve                | --storage is missing; slipway registry serve --help lists the arguments
          inspect                       | IMAGE is missing; slipway inspect --help lists the arguments
          disk build --target-imgref A x | --target-imgref: "A" is not a repository name; use lower-case
          disk build --output /etc/passwd x | --output /etc/passwd is not a folder
          images -- --help              | unexpected argument "--help"; slipway images --help lists the arguments
          images --nosuch -- --help     | unknown option --nosuch; slipway images --help lists the options
          images --json=x               | --json takes true or false, not "x"
          pull --tls-verify=x a/b       | --tls-verify takes true or false, not "x"
          build a\\0b                   | CONTEXT takes a folder, not "a\\x00b"
          build -f a\\0b .              | --file takes a file, not "a\\x00b"
          images --root a\\0b           | --root takes a folder, not "a\\x00b"
          images --root a --root b      | --root may be given only once
          images --root _               | --root lacks its value, DIR; slipway images --help lists the options
          build _                       | CONTEXT is empty; slipway build --help lists the arguments
          build -f _ .                  | --file lacks its value, FILE; slipway build --help lists the options
          build --build-context a= .    | --build-context lacks its value, NAME=DIR; slipway build --help lists
          build --build-context =d .    | --build-context "=d" has no name before the =
          build --build-context d .     | --build-context takes NAME=DIR, not "d"
          build --label =x .            | --label "=x" has no name before the =
          build --label x .             | --label takes NAME=VALUE, not "x"
          build --label _ .             | --label takes NAME=VALUE, not ""
          build --annotation =x .       | --annotation "=x" has no name before the =
          build --build-arg =x .        | --build-arg "=x" has no name
          build --build-arg _ .         | --build-arg "" has no name
          build --ssh default= .        | --ssh "default=" names no agent; expected ID=SOCKET
          build --ulimit nofile= .      | --ulimit is NAME=SOFT[:HARD] with a NAME of
          build --secret id=a,src= .    | --secret "id=a,src=" has an empty src; expected id=ID[,src=FILE][,env=NAME]
          build --secret id=a,source .  | --secret "id=a,source" has an empty source; expected id=ID
          build --secret id=a,env= .    | --secret "id=a,env=" has an empty env; expected id=ID
          build --secret id=,src=/a .   | --secret "id=,src=/a" has an empty id; expected id=ID
          build --secret src=/etc/passwd . | --secret "src=/etc/passwd" has no id; expected id=ID
          build --secret id=a,scr=/b .  | --secret "id=a,scr=/b": "scr" is not one of its keys; expected id=ID
          build --secret id=a, .        | --secret "id=a,": "" is not one of its keys; expected id=ID
          build --secret id=a,src=/etc . | --secret a: /etc is a folder; name a file
          build --secret id=a,src=/no/such . | --secret a: cannot read /no/such
          build --secret id=a,type=x .  | --secret a: type is file or env, not "x"
          build --secret id=a,env=NO_SUCH . | --secret a: the variable NO_SUCH is not set
          build --secret id=NO_SUCH,type=env . | --secret NO_SUCH: the variable NO_SUCH is not set
          registry serve --storage _    | --storage lacks its value, DIR; slipway registry serve --help lists
          save -o _ web                 | --output lacks its value, FILE; slipway save --help lists the options
          vm run _                      | DISK or IMAGE is missing; --disk-size gives the machine an empty disk instead
          help disk nosuch              | unknown command "nosuch"; slipway disk --help lists the commands
          help images extra             | unexpected argument "extra"; slipway images --help lists the arguments
          help build -x                 | unknown option -x; slipway build --help lists the options
          help bootc nosuch             | unknown command "nosuch"; bootc --help lists the commands
          --help nosuch                 | unknown command "nosuch"; slipway --help lists the commands
          version extra                 | unexpected argument "extra"; slipway --help lists the commands
          --version images              | unexpected argument "images"; slipway --help lists the commands
          help images -                 | unexpected argument "-"; slipway images --help lists the arguments
          help -                        | unknown command "-"; slipway --help lists the commands
          --help -                      | unknown command "-"; slipway --help lists the commands
          -                             | unknown command "-"; slipway --help lists the commands
          version -                     | unexpected argument "-"; slipway --help lists the commands
          bootc install                 | install needs to know what to install to: to-disk, to-filesystem or to-existing-root
          bootc install to-filesystem --replace all /mnt | --replace "all" is not known; give wipe or alongside
          bootc install to-disk --bootloader lilo /dev/x | --bootloader "lilo" is not there; give grub or systemd, or none
          bootc install to-disk --target-imgref no:such:name /dev/x | --target-imgref: "no:such" is not a repository name
          bootc install to-disk --block-setup raid /dev/x | --block-setup "raid" is not known; give direct or tpm2-luks
          bootc -                       | unknown command "-"; bootc --help lists the commands
          disk - --help                 | unknown command "-"; slipway disk --help lists the commands
          disk --help -                 | unknown command "-"; slipway disk --help lists the commands
          images --help - --nosuch      | unknown option --nosuch; slipway images --help lists the options
          images --nosuch --help        | unknown option --nosuch; slipway images --help lists the options
          disk nosuch --help            | unknown command "nosuch"; slipway disk --help lists the commands
          --root /x images              | unknown option --root; a command's options stand behind the command, slipway --help
          images --format json          | unknown option --format; --json prints JSON
          images -v                     | unknown option -v; slipway --version tells the version
          kickstart                     | which kickstart command?
          kickstart check --version F1 x | --version F1 is not a version that is known; take F45,
          kickstart check /dev/null     | /dev/null is not a regular file; give - to have
          pull --cert-dir /no/such a/b  | --cert-dir /no/such is not a folder
          """)
  void wrongUsageIsOneSentence(String line, String sentence) throws Exception {
    String[] words = line.split(" ");
    for (int i = 0; i < words.length; i++) {
      // What a table can hardly hold: an empty word, and a character that no path has.
      words[i] = words[i].equals("_") ? "" : words[i].replace("\\0", "\0");
    }
    Ran ran = run(words);
    assertThat(ran.err()).startsWith("error: " + sentence).hasLineCount(1);
    assertThat(ran.status()).isEqualTo(2);
  }

  @Test
  void helpOfACommand() {
    assertThat(run("help", "vm", "run").status()).isZero();
    assertThat(run("help", "--", "build").status()).isZero();
    assertThat(run("help", "nonsense").err()).contains("unknown command \"nonsense\"");
  }

  /** Whoever has a word too many and asks for help gets it; only what is misspelt is told. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "images extra --help",
        "images --help extra words",
        "images --help -",
        "images - --help",
        "images -h - -",
        "images --help -- -x",
        "build --help -",
        "build --help a b -",
        "vm run --help -",
        "disk build --help - more",
        "bootc status --help -",
        "login --help -",
        "registry serve --help -"
      })
  void helpWinsOverWordsThatAreTooMany(String line) {
    Ran ran = run(line.split(" "));
    assertThat(ran.err()).isEmpty();
    assertThat(ran.status()).isZero();
  }

  @Test
  void aDiskThatIsAFolder() {
    Ran ran = run("vm", "run", dir.toString());
    assertThat(ran.err()).contains("is a folder; name the disk image in it");
  }

  /** Not after the minutes that the demo takes. */
  @Test
  void aDemoThatCannotKeepWhatItIsToldToIsRefusedAtOnce() throws Exception {
    Path file = Files.createFile(dir.resolve("file"));
    String root = dir.resolve("state").toString();
    Ran onFile = run("demo", "--root", root, "--keep", file.toString());
    assertThat(onFile.status()).isEqualTo(2);
    assertThat(onFile.err())
        .isEqualTo("error: --keep " + file + " is not a folder; name another\n");
    Ran nowhere = run("demo", "--root", root, "--keep", dir.resolve("no/such").toString());
    assertThat(nowhere.status()).isEqualTo(2);
    assertThat(nowhere.err()).contains("the folder " + dir.resolve("no") + " does not exist");
    assertThat(dir.resolve("state")).doesNotExist();
  }

  /** A misspelt --root is seen, and does not become a store. */
  @ParameterizedTest
  @CsvSource({
    "0,warning: there is no image store at,images",
    "0,warning: there is no image store at,images --json",
    "0,warning: there is no image store at,system df",
    "0,warning: there is no image store at,system prune --force",
    "0,warning: there is no image store at,rmi --all",
    "0,warning: there is no image store at,rmi --force web",
    "1,error: no image \"web\" in the local store: there is no store at,rmi web",
    "1,error: no image \"web\" in the local store: there is no store at,inspect web",
    "1,error: no image \"web\" in the local store: there is no store at,history web",
    "1,error: no image \"web\" in the local store: there is no store at,tag web two",
    "1,error: no image \"web\" in the local store: there is no store at,push web",
    "1,error: no image \"web\" in the local store: there is no store at,save -o x.tar web",
    "1,error: no image \"web\" in the local store: there is no store at,disk build web",
  })
  void whatNeedsNoStoreMakesNone(int status, String sentence, String words) {
    Path misspelt = dir.resolve("misspelt");
    List<String> line = new java.util.ArrayList<>(List.of(words.split(" ")));
    line.addAll(List.of("--root", misspelt.toString()));
    Ran ran = run(line.toArray(String[]::new));
    assertThat(ran.status()).as(ran.err()).isEqualTo(status);
    assertThat(ran.err()).startsWith(sentence + " " + misspelt).hasLineCount(1);
    assertThat(misspelt).doesNotExist();
  }

  /** By somebody who is root elsewhere, and so may read the classes, but not in his namespace. */
  @Test
  void aBaseBuildWithoutRootIsRefusedBeforeItMakesAStore() {
    Path state = dir.resolve("state");
    Command.Result result =
        Command.of("unshare", "--user", "--map-user=65534")
            .with(Path.of(System.getProperty("java.home"), "bin", "java").toString())
            .with("--enable-native-access=ALL-UNNAMED")
            .with("-cp", System.getProperty("java.class.path"), "slipway.cli.Main")
            .with("base", "build", "--root", state.toString())
            .tryRun();
    assertThat(result.stderr())
        .isEqualTo("error: building a base image needs root: run it with sudo\n");
    assertThat(result.status()).isEqualTo(1);
    assertThat(state).doesNotExist();
  }

  @Test
  void aBaseImageForAProcessorWithoutBootLoader() {
    Path state = dir.resolve("state");
    Ran ran = run("base", "build", "--root", state.toString(), "--if-changed", "--arch", "s390x");
    assertThat(ran.err())
        .isEqualTo(
            "error: --arch \"s390x\" is none that base images are for; there are amd64 and arm64\n");
    assertThat(ran.status()).isEqualTo(2);
  }

  @Test
  void theConsoleIsToldHowToLeaveItAndWhichPortsLeadIn() throws Exception {
    assertThat(VmCommand.Run.hint(List.of(new PortForward(2222, 22), new PortForward(8080, 80))))
        .isEqualTo(
            "Ctrl-A X ends the machine, Ctrl-A C leads to QEMU's monitor and back; 127.0.0.1:2222"
                + " leads to its port 22, 127.0.0.1:8080 leads to its port 80");
    assertThat(new PortForward(8080, 80).settled()).isEqualTo(new PortForward(8080, 80));
    PortForward free = new PortForward(0, 22).settled();
    assertThat(free.host()).isPositive();
    assertThat(free.guest()).isEqualTo(22);
  }

  /** The JVM's own words are not for users. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "banana",
        "512",
        "1.5g",
        "63m",
        "5m",
        "10000g",
        "0g",
        "g",
        "2g x",
        "m",
        "064m",
        "10238977m",
        "100000000m",
        "99999999999999999999m",
        "99999999999999999999g",
        "64mm",
        "64m\n",
        "6\n4m",
        "-64m",
        "2k"
      })
  void theLauncherRefusesWhatIsNoSizeOfMemory(String heap) {
    Command.Result result =
        Command.of(Path.of("..", "slipway").toString(), "--version")
            .environment("SLIPWAY_HEAP", heap)
            .tryRun();
    assertThat(result.status()).isEqualTo(1);
    assertThat(result.stderr())
        .isEqualTo(
            "error: SLIPWAY_HEAP="
                + heap
                + " is not a size of memory from 64m to 9999g, such as 512m or 2g\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "64m",
        "99m",
        "512M",
        "10240m",
        "16384m",
        "1048576m",
        "10238976m",
        "1g",
        "16G",
        "1024g",
        "9999g"
      })
  void theLauncherTakesWhatIsASizeOfMemory(String heap) throws IOException {
    Path launcher = Path.of("..", "slipway");
    // Up to where it begins its work; what a machine has of it is not asked here.
    String checks = Files.readString(launcher).split("\nself=", 2)[0] + "\necho taken";
    Command.Result result =
        Command.of("sh", "-c", checks).environment("SLIPWAY_HEAP", heap).tryRun();
    assertThat(result.stderr()).isEmpty();
    assertThat(result.text()).isEqualTo("taken\n");
    assertThat(result.status()).isEqualTo(0);
  }
}
