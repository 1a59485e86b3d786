package slipway.builder.run;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import slipway.builder.session.BuildSession;
import slipway.container.RunNetwork;
import slipway.container.UserNetwork;

/**
 * The private network of a stage's RUN commands, made when the first of them needs it. They come
 * one after the other, what one started ends with it, and none may change the network, so they need
 * not have one each. Belongs to the thread of the stage, in whose mount namespace it is seen.
 */
public final class StageNetwork implements AutoCloseable {
  private final BuildSession session;
  private @Nullable UserNetwork network;

  public StageNetwork(BuildSession session) {
    this.session = session;
  }

  /** The network; a new one when what connected it has ended. */
  UserNetwork connected(RunNetwork wanted) throws IOException {
    if (network != null && !network.isConnected()) {
      close();
    }
    if (network == null) {
      network = UserNetwork.start(wanted, session.workspace().newDirectory("network"));
    }
    return network;
  }

  @Override
  public void close() throws IOException {
    UserNetwork ended = network;
    network = null;
    if (ended != null) {
      ended.close();
    }
  }
}
