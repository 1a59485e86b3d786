package slipway.cli.image;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import slipway.cli.command.State;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;

/** {@code slipway tag IMAGE NAME…}. */
@Command(
    name = "tag",
    mixinStandardHelpOptions = true,
    description = "Give an image another name.",
    footer = "slipway tag localhost/web:1 localhost/web:stable")
public final class TagCommand implements Callable<Integer> {
  @Mixin State state = new State();

  @Parameters(index = "0", paramLabel = "IMAGE", description = "name or id")
  String image = "";

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "NAME", description = "new names")
  List<String> names = List.of();

  @Override
  public Integer call() {
    try (LocalStore store = state.storeWith(image)) {
      Manifest manifest = State.require(store, image);
      store.tag(names.stream().map(LocalStore::localName).toList(), manifest.digest());
    }
    return 0;
  }
}
