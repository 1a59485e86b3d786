package slipway.ostree.container;

import java.nio.file.Files;
import java.nio.file.Path;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.ImageConfig;
import slipway.ostree.TestImage;
import slipway.ostree.Trees;
import slipway.ostree.repo.Repository;
import slipway.tree.TreeBuilder;

/** Imports images for ever, in a process of its own, until it is killed. */
public final class KilledImport {
  private KilledImport() {}

  public static void main(String[] arguments) throws Exception {
    Repository repository = Repository.open(Path.of(arguments[0]));
    Path started = Path.of(arguments[1]);
    for (int round = Integer.parseInt(arguments[2]); ; round++) {
      TestImage image = image(round);
      if (Files.notExists(started)) {
        Files.createFile(started);
      }
      run(repository, image, image.config());
      if (round % 3 == 2) {
        new ContainerImages(repository).removeUnusedLayers();
        repository.prune(java.util.Set.of());
      }
    }
  }

  private static void run(Repository repository, TestImage source, ImageConfig config)
      throws Exception {
    try (ImageSource s = source) {
      ContainerImport.run(repository, s, source.manifest(), config, "docker://x/y", Progress.NONE);
    }
  }

  /** Two layers that differ from round to round and one that does not. */
  private static TestImage image(int round) throws Exception {
    TestImage image = new TestImage();
    for (int l = 0; l < 3; l++) {
      TreeBuilder b = new TreeBuilder();
      for (int i = 0; i < 150; i++) {
        long seed = l == 0 ? i : round * 1000L + i % 100;
        byte[] bytes = Trees.bytes(seed, (int) (seed * 37 % 9000));
        b.file(
            "usr/l" + l + "/d" + i % 10 + "/f" + i,
            Metadata.file(0644),
            slipway.tree.Content.of(bytes));
      }
      b.file("usr/l" + l + "/large", 0644, Trees.bytes(l == 0 ? 1 : round, 900_000));
      b.put(OsPath.of("usr/l" + l + "/link"), Trees.link("to" + round));
      image.layer(b.layer(), Compression.GZIP);
    }
    return image;
  }
}
