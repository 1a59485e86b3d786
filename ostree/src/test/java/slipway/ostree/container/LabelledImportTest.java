package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.ostree.TestImage;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
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

  /** Under its new name nobody would see the damage any more. */
  @ParameterizedTest
  @ValueSource(strings = {"", "tAol", "tool and more"})
  void aDamagedFileGetsNoLabel(String damage) throws IOException {
    TreeBuilder b = new TreeBuilder();
    b.file("usr/bin/tool", timed(Metadata.file(0755)), content("tool"));
    TestImage plain = new TestImage().layer(b.layer(), Compression.GZIP);
    Imported before = run(plain);
    Checksum object =
        ObjectContent.linked(
                repository.readTree(before.mergeCommit()).find("usr/bin/tool").orElseThrow())
            .orElseThrow();
    Files.writeString(repository.objectPath(object, ObjectType.FILE), damage);
    repository = Repository.open(path);
    TestImage labelled =
        withPolicy(new TestImage().layer(b.layer(), Compression.GZIP).label("version", "2"));
    assertThatThrownBy(() -> run(labelled))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(object.hex())
        .hasMessageContaining("fsck --repair");
    assertThat(repository.resolveRef(ContainerRefs.image(NAME))).contains(before.mergeCommit());
  }
}
