package slipway.ostree.repo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;
import slipway.ostree.object.ObjectType;

/** Files that end with zeros get their size at the end, which must cost them nothing they have. */
class HoleAtTheEndTest {
  private static final int SIZE = 2 << 20;

  /** CAP_NET_RAW, as {@code setcap cap_net_raw+ep} writes it. */
  private static final byte[] CAPABILITY = {
    1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  };

  @TempDir Path directory;

  private Path store(Repository.Mode mode, Metadata metadata) throws IOException {
    Repository repository = Repository.create(directory.resolve("repo"), mode);
    try (Transaction transaction = repository.begin()) {
      ObjectContent content =
          transaction.store(
              OsPath.of("usr/bin/ping"), metadata, SIZE, new ByteArrayInputStream(new byte[SIZE]));
      transaction.commit();
      return repository.objectPath(content.checksum(), ObjectType.FILE);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Repository.Mode.class,
      names = {"BARE", "BARE_USER"})
  void theTimeStaysZero(Repository.Mode mode) throws IOException {
    Path object = store(mode, Metadata.file(0644));
    assertThat(Files.size(object)).isEqualTo(SIZE);
    assertThat(Files.getLastModifiedTime(object).toMillis()).isZero();
  }

  /** The kernel takes capabilities from a file whose size changes. */
  @Test
  void capabilitiesStay() throws IOException {
    Metadata.Xattr capability = new Metadata.Xattr(OsPath.of("security.capability"), CAPABILITY);
    Metadata metadata = new Metadata(Stat.S_IFREG | 04755, 0, 0, 0, 0, List.of(capability));
    Path object = store(Repository.Mode.BARE, metadata);
    assertThat(Xattrs.lgetxattr(OsPath.of(object), capability.name())).isEqualTo(CAPABILITY);
    assertThat(Files.getAttribute(object, "unix:mode")).isEqualTo(Stat.S_IFREG | 04755);
  }
}
