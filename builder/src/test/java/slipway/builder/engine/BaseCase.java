package slipway.builder.engine;

import java.io.IOException;
import java.nio.file.Path;

/** As {@link LabCase}, with the base image {@link Lab#BASE} in the store. */
public abstract class BaseCase extends LabCase {
  @Override
  final Lab newLab(Path state) throws IOException {
    return Lab.withBase(state);
  }
}
