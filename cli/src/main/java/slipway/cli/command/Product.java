package slipway.cli.command;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import slipway.base.Problem;

/** Where the running program itself lies. */
public final class Product {
  private Product() {}

  /**
   * The folder of the product's jars, from which the host agent is put together.
   *
   * @throws Problem when the program runs from class folders, as under a test runner
   */
  public static Path jars() {
    try {
      Path jar = Path.of(Product.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      if (Files.isRegularFile(jar)) {
        return java.util.Objects.requireNonNull(jar.getParent());
      }
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
    throw Problem.environment("the program does not run from its jars; start it with ./slipway");
  }

  /**
   * The folder of an example, in the checkout or the installed product that the launcher stands in.
   *
   * @throws Problem when it was started without a launcher
   */
  public static Path example(String name) {
    String root = System.getenv("SLIPWAY_ROOT");
    Path folder = Path.of(root == null ? "." : root, "examples", name);
    if (!Files.isDirectory(folder)) {
      throw Problem.notFound(
          "the example "
              + folder
              + " is not there; start with slipway, or ./slipway in a checkout");
    }
    return folder;
  }
}
