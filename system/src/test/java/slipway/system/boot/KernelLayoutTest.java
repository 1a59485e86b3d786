package slipway.system.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.tree.TreeBuilder;

class KernelLayoutTest {
  private static final String FOLDER = "usr/lib/modules/6.1.0-test/";

  private static TreeBuilder withKernel() {
    TreeBuilder tree = new TreeBuilder();
    tree.file(FOLDER + "vmlinuz", 0644, new byte[] {1});
    return tree;
  }

  @Test
  void anInitramfsIsOptional() throws Exception {
    assertThat(KernelLayout.require(withKernel().build()).initramfsName()).isNull();
    TreeBuilder tree = withKernel();
    tree.file(FOLDER + "initramfs.img", 0644, new byte[] {2});
    assertThat(KernelLayout.require(tree.build()).initramfsName())
        .isEqualTo("initramfs-6.1.0-test.img");
  }

  /** As Debian's kernels have them beside each other in /boot; it would be left out silently. */
  @ParameterizedTest
  @ValueSource(strings = {"initramfs.img", "initramfs", "devicetree"})
  void whatIsThereAndNoFileIsRefused(String name) {
    TreeBuilder link = withKernel();
    link.symlink(FOLDER + name, "/boot/initrd.img-6.1.0-test");
    TreeBuilder folder = withKernel();
    folder.mkdirs(FOLDER + name);
    for (TreeBuilder tree : new TreeBuilder[] {link, folder}) {
      assertThatThrownBy(() -> KernelLayout.require(tree.build()))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("/" + FOLDER + name + " is a link or a folder");
    }
  }
}
