package slipway.host.deployment;

import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.host.status.HostSpec;
import slipway.host.status.HostStatus;
import slipway.host.status.StatusDocument;
import slipway.host.status.StatusReader;
import slipway.host.system.HostEnvironment;
import slipway.host.update.Host;

/** Makes a machine what a document says: it follows another image, or boots another entry. */
public final class HostEdit {
  private final HostEnvironment host;

  public HostEdit(HostEnvironment host) {
    this.host = host;
  }

  /** The document as it is, to be changed. */
  public String document() throws IOException {
    host.requireHost();
    return StatusDocument.yaml(StatusReader.read(host));
  }

  /** What a document changed. */
  public enum Changed {
    NOTHING,
    /** Which entry boots next. */
    ORDER,
    /** Which image is followed. */
    IMAGE
  }

  /**
   * Does what a changed document says.
   *
   * @param text of the document, YAML or JSON
   * @param name of its file, for messages
   * @throws Problem of kind INPUT when it says nothing that can be done
   */
  public Changed apply(String text, String name) throws IOException {
    host.requireHost();
    HostStatus status = StatusReader.read(host);
    HostSpec present = HostSpec.of(status);
    HostSpec wanted = HostSpec.parse(text, name, status);
    boolean order = wanted.rollback() != present.rollback();
    boolean image = !Objects.equals(wanted.image(), present.image());
    if (order && image) {
      throw Problem.input(
          "Invalid state transition: rollback and image change; make one after the other");
    }
    if (order) {
      Host.of(host).rollback(Host.RollbackOptions.NONE);
      return Changed.ORDER;
    }
    if (image) {
      follow(wanted.image());
      return Changed.IMAGE;
    }
    host.out().accept("Edit cancelled, no changes made.");
    return Changed.NOTHING;
  }

  private void follow(HostStatus.@Nullable ImageName image) throws IOException {
    if (image == null) {
      throw Problem.input("spec.image is null: a machine follows an image; name it");
    }
    if (image.signature() != null && !image.signature().equals(HostSpec.POLICY)) {
      throw Problem.input("spec.image.signature can be " + HostSpec.POLICY + ", or is left out");
    }
    Host.of(host).switchTo(options(image));
  }

  /** What a document says is no wrong usage. */
  private static Host.SwitchOptions options(HostStatus.ImageName image) {
    try {
      return Host.SwitchOptions.to(image.image(), image.transport())
          .signed(image.signature() != null);
    } catch (Problem e) {
      throw new Problem(Problem.Kind.INPUT, "spec.image: " + e.sentence(), e);
    }
  }
}
