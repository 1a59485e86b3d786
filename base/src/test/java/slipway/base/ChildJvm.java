package slipway.base;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line that runs a class with {@code main} in a JVM of its own, as the tests run. */
public final class ChildJvm {
  private ChildJvm() {}

  public static List<String> line(Class<?> main, String... arguments) {
    return line(main, List.of(), arguments);
  }

  /** With options for the JVM. */
  public static List<String> line(Class<?> main, List<String> options, String... arguments) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.add("--enable-native-access=ALL-UNNAMED");
    line.addAll(options);
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    line.addAll(List.of(arguments));
    return line;
  }
}
