package slipway.cli.disk;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import slipway.base.Cleanup;
import slipway.cli.output.Terminal;
import slipway.linux.process.Command;
import slipway.media.NamedMachine;

/** This terminal, or whatever stdin and stdout are, at the serial port of a machine. */
final class ConsoleLink {
  /** Ctrl-], as telnet and virsh have it. */
  private static final int DETACH = 0x1d;

  private ConsoleLink() {}

  /** Until the machine is off, somebody types Ctrl-], or stdin ends that is no terminal. */
  static void attend(NamedMachine machine, PrintWriter err) throws IOException {
    boolean terminal = Terminal.stdinIsTerminal();
    if (terminal) {
      err.println(
          "Ctrl-] leaves the console of " + machine.name() + ", which goes on; Enter wakes it up");
      err.flush();
    }
    try (SocketChannel console = machine.console();
        Cleanup raw = terminal ? rawTerminal() : Cleanup.register("nothing", () -> {})) {
      Thread.ofPlatform().daemon().name("keyboard").start(() -> type(console, terminal));
      show(console);
    } finally {
      err.println();
    }
  }

  private static Cleanup rawTerminal() {
    String before = stty("-g");
    Cleanup restore = Cleanup.register("the terminal's settings", () -> stty(before));
    stty("raw", "-echo");
    return restore;
  }

  /** On the terminal itself, for a command's stdin is empty. */
  private static String stty(String... words) {
    return Command.of("stty", "-F", "/dev/tty").with(words).output();
  }

  private static void show(SocketChannel console) throws IOException {
    InputStream in = Channels.newInputStream(console);
    byte[] buffer = new byte[8192];
    try {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        System.out.write(buffer, 0, n);
        System.out.flush();
      }
    } catch (java.nio.channels.ClosedChannelException e) {
      // Somebody left.
    }
  }

  private static void type(SocketChannel console, boolean terminal) {
    byte[] buffer = new byte[1024];
    try {
      for (int n = System.in.read(buffer); n >= 0; n = System.in.read(buffer)) {
        int end = 0;
        while (end < n && !(terminal && buffer[end] == DETACH)) {
          end++;
        }
        ByteBuffer keys = ByteBuffer.wrap(buffer, 0, end);
        while (keys.hasRemaining()) {
          console.write(keys);
        }
        if (end < n) {
          break;
        }
      }
      console.close();
    } catch (IOException e) {
      // The machine is off, or this process ends.
    }
  }
}
