package slipway.ostree.container;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.ostree.TestImage;
import slipway.tree.Content;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/** Images whose files get labels of SELinux when they are imported. */
class LabelledImportTest extends ImportCase {
  /** An empty file without a label is the object that marks whiteouts in the commit of a layer. */
  @Test
  void anEmptyFileThatIsLabelledTakesNoMarkerAway() throws IOException {
    TreeBuilder below = new TreeBuilder();
    below.file("usr/lib/empty", timed(Metadata.file(0644)), Content.EMPTY);
    below.file("usr/lib/gone", timed(Metadata.file(0644)), content("gone"));
    TreeBuilder above = new TreeBuilder();
    above.put("usr/lib/gone", Node.Whiteout.INSTANCE);
    run(
        withPolicy(
            new TestImage()
                .layer(below.layer(), Compression.GZIP)
                .layer(above.layer(), Compression.GZIP)));
    assertClean();
  }
}
