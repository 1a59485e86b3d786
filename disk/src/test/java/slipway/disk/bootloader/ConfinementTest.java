package slipway.disk.bootloader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.mount.MountNamespace;
import slipway.linux.process.Command;

/** A tool that has been taken over looks for a way out. */
class ConfinementTest {
  @TempDir Path directory;

  private Command.Result run(Duration limit, String program, String... arguments) throws Exception {
    return MountNamespace.call(
        "test",
        () -> {
          try (Confinement confinement = Confinement.in(directory)) {
            confinement.put("sub/data", "hello".getBytes(StandardCharsets.UTF_8));
            return confinement.tryRun(
                List.<String>of(Command.of(program).with(arguments).argv().toArray(String[]::new)),
                limit);
          }
        });
  }

  private String python(String code) throws Exception {
    Command.Result result = run(Duration.ofSeconds(30), "/usr/bin/python3", "-c", code);
    return result.text().strip() + result.stderr().strip();
  }

  @Test
  void itIsNobodyElseAndSeesLittle() throws Exception {
    assertThat(
            python(
                """
                import os
                print(os.getuid(), os.getgid(), os.getgroups(), os.getpid(),
                  sorted(os.listdir('/')), open('sub/data').read(), sorted(os.environ))
                """))
        .matches("(1[89][0-9]{8}|20[0-9]{8}) \\1 \\[] 1 .* hello \\['LC_ALL'.*]")
        .doesNotContain("etc", "proc", "home", "var", "tmp'");
  }

  @Test
  void itWritesOnlyToItsFolder() throws Exception {
    assertThat(
            python(
                """
                import os
                open('mine', 'w').write('x')
                for path in '/evil', '/usr/evil', '/usr/bin/python3', 'sub/data':
                  try:
                    open(path, 'a').close()
                    print('wrote', path)
                  except OSError as e:
                    print(e.errno)
                """))
        .matches("(13|30)(\\n(13|30)){3}");
  }

  @Test
  void itReachesNoNetworkAndStartsNothing() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThat(
              python(
                  """
                  import os, socket
                  for what in (lambda: socket.create_connection(('127.0.0.1', %d), 2), os.fork,
                      lambda: os.setuid(0), lambda: os.chroot('/usr'),
                      lambda: os.unshare(os.CLONE_NEWUSER) if hasattr(os, 'unshare') else os.kill(2, 9)):
                    try:
                      what()
                      print('done')
                    except OSError as e:
                      print(type(e).__name__, e.errno)
                  """
                      .formatted(server.getLocalPort())))
          .doesNotContain("done");
    }
  }

  /** The bound on processes would count those of a user that others are too. */
  @Test
  @Tag("slow")
  void twoAtATimeDoNotHinderEachOther() throws Exception {
    try (ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      List<Future<String>> results = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        results.add(threads.submit(() -> python("import time; time.sleep(1); print('done')")));
      }
      for (Future<String> result : results) {
        assertThat(result.get()).isEqualTo("done");
      }
    }
  }

  /** As when the one who waits for the tool is killed, and with it the process above the tool. */
  @Test
  @Tag("slow")
  @Timeout(60)
  void itEndsWithTheProcessAboveIt() throws Exception {
    try (ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      Future<Command.Result> result =
          threads.submit(() -> run(Duration.ofMinutes(10), "/usr/bin/sleep", "54321"));
      ProcessHandle tool = await("/usr/bin/sleep\00054321\000");
      try {
        assertThat(tool.parent().orElseThrow().destroyForcibly()).isTrue();
        tool.onExit().get();
      } finally {
        tool.destroyForcibly();
      }
      assertThat(result.get().status()).isEqualTo(128 + 9);
    }
  }

  /** A process below this one, once its command line is this one. */
  private static ProcessHandle await(String commandLine) throws InterruptedException {
    while (true) {
      Optional<ProcessHandle> found =
          ProcessHandle.current()
              .descendants()
              .filter(p -> commandLine.equals(commandLine(p)))
              .findFirst();
      if (found.isPresent()) {
        return found.get();
      }
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"));
    } catch (IOException e) {
      return ""; // It has ended.
    }
  }

  @Test
  void itEndsWithItsTime() {
    assertThatThrownBy(() -> run(Duration.ofMillis(500), "/usr/bin/sleep", "1000"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("did not end");
  }
}
