package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.lock.ScratchFolder;
import slipway.oci.copy.OneImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;

/**
 * A commit of any ostree repository as an image of one layer, from which {@link
 * EncapsulatedImport}, ostree-ext and whatever stands on it bring the very same commit into another
 * repository. Podman runs it as any other image.
 */
public final class EncapsulatedCommit extends OneImageSource {
  private final ScratchFolder scratch;
  private final Path layer;
  private final Digest only;

  /**
   * What the image says of itself.
   *
   * @param labels more of them
   * @param copied keys of the commit's metadata that become labels, which must be there
   * @param copiedIfThere keys that may be missing
   * @param command the image's command, or null
   * @param level of gzip, as {@link Compression#compress} takes it
   */
  public record Options(
      Map<String, String> labels,
      List<String> copied,
      List<String> copiedIfThere,
      @Nullable List<String> command,
      int level) {
    public Options {
      labels = new LinkedHashMap<>(labels);
      copied = List.copyOf(copied);
      copiedIfThere = List.copyOf(copiedIfThere);
      command = command == null ? null : List.copyOf(command);
    }
  }

  private EncapsulatedCommit(
      ScratchFolder scratch, Path layer, Manifest.Image manifest, byte[] config) {
    super("the repository", manifest, config);
    this.scratch = scratch;
    this.layer = layer;
    only = manifest.layers().getFirst().digest();
  }

  /** Packs a commit; what is packed lies in the folder for large temporary files. */
  public static EncapsulatedCommit of(Repository repository, Checksum checksum, Options options)
      throws IOException {
    Commit commit = repository.readCommit(checksum);
    Map<String, String> labels = labels(commit, options);
    ScratchFolder scratch = ScratchFolder.large("slipway-encapsulate-", note -> {});
    boolean done = false;
    try {
      Path file = scratch.path().resolve("layer.tar.gz");
      MessageDigest plain = Digest.Algorithm.SHA256.newMessageDigest();
      MessageDigest packed = Digest.Algorithm.SHA256.newMessageDigest();
      try (OutputStream raw = new DigestOutputStream(Files.newOutputStream(file), packed);
          OutputStream gzip = Compression.GZIP.compress(raw, options.level());
          OutputStream tar = new DigestOutputStream(gzip, plain)) {
        CommitTar.write(repository, commit, tar);
      }
      Descriptor layer =
          Descriptor.of(
              MediaTypes.OCI_LAYER_GZIP,
              Digest.of(Digest.Algorithm.SHA256, packed.digest()),
              Files.size(file));
      Digest diffId = Digest.of(Digest.Algorithm.SHA256, plain.digest());
      labels.put(Encapsulation.FINAL_DIFF_ID, diffId.toString());
      String created = Instant.ofEpochSecond(commit.timestamp()).toString();
      String by =
          commit.subject().isEmpty() ? "ostree export of commit " + checksum : commit.subject();
      byte[] config =
          ImageConfig.draft(Platform.host())
              .created(created)
              .labels(labels)
              .cmd(options.command())
              .diffIds(List.of(diffId))
              .history(List.of(new ImageConfig.History(created, by, null, false)))
              .build()
              .toJson();
      Manifest.Image manifest =
          Manifest.Image.of(Descriptor.of(MediaTypes.OCI_CONFIG, config), List.of(layer), labels);
      done = true;
      return new EncapsulatedCommit(scratch, file, manifest, config);
    } finally {
      if (!done) {
        scratch.close();
      }
    }
  }

  private static Map<String, String> labels(Commit commit, Options options) {
    Map<String, String> labels = new LinkedHashMap<>();
    for (String key : options.copied()) {
      labels.put(
          key,
          commit
              .string(key)
              .orElseThrow(
                  () ->
                      Problem.input(
                          "the commit "
                              + commit.checksum()
                              + " has no text "
                              + Printable.text(key)
                              + " in its metadata")));
    }
    for (String key : options.copiedIfThere()) {
      commit.string(key).ifPresent(value -> labels.put(key, value));
    }
    GVariant bootable = commit.metadata().get("ostree.bootable");
    if (bootable != null && bootable.type().equals("b")) {
      labels.put("ostree.bootable", Boolean.toString(bootable.asBoolean()));
      labels.put("containers.bootc", "1");
    }
    commit.string("ostree.linux").ifPresent(value -> labels.put("ostree.linux", value));
    commit
        .string("version")
        .ifPresent(
            value -> {
              labels.put("version", value);
              labels.put("org.opencontainers.image.version", value);
            });
    labels.put(Encapsulation.COMMIT, commit.checksum().hex());
    labels.putAll(options.labels());
    return labels;
  }

  @Override
  protected @Nullable InputStream layer(Digest digest) throws IOException {
    return digest.equals(only) ? Files.newInputStream(layer) : null;
  }

  @Override
  public void close() throws IOException {
    scratch.close();
  }
}
