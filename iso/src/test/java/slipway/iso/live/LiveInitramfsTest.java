package slipway.iso.live;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import slipway.tree.TreeBuilder;

class LiveInitramfsTest {
  private static final String LOOP = "kernel/drivers/block/loop.ko.xz:\n";

  private static boolean lacksUsb(String modules, String builtIn) throws IOException {
    TreeBuilder tree = new TreeBuilder();
    tree.file("usr/lib/modules/6.1/modules.dep", 0644, modules.getBytes(UTF_8));
    tree.file("usr/lib/modules/6.1/modules.builtin", 0644, builtIn.getBytes(UTF_8));
    return new LiveInitramfs(tree.build(), "6.1").lacksUsb();
  }

  /** Kernels for clouds have no drivers of USB, and a medium on a stick would not be found. */
  @Test
  void aKernelWithoutUsbIsKnown() throws IOException {
    String storage = "kernel/drivers/usb/storage/usb-storage.ko";
    assertThat(lacksUsb(LOOP, "kernel/fs/ext4/ext4.ko\n")).isTrue();
    assertThat(lacksUsb(LOOP + storage + ".xz: kernel/drivers/usb/core/usbcore.ko.xz\n", ""))
        .isFalse();
    assertThat(lacksUsb(LOOP, storage + "\n")).isFalse();
    assertThat(new LiveInitramfs(new TreeBuilder().build(), "6.1").lacksUsb()).isFalse();
  }
}
