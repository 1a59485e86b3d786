package slipway.sysroot.state;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.ostree.gvariant.GVariant;
import slipway.system.kargs.KernelArguments;

/**
 * The description of a staged deployment, {@code /run/ostree/staged-deployment}: a serialized
 * {@code a{sv}} in ostree's own form, so that ostree's tools list it and could finalize it.
 *
 * @param target what is staged
 * @param merge whose {@code /etc} is merged, or null
 * @param kargs kernel arguments, or null to take those of {@code merge}
 * @param extensions more keys for the boot entry
 * @param locked whether the shutdown leaves it alone
 * @param others keys that we do not know, kept
 */
public record StagedFile(
    Name target,
    @Nullable Name merge,
    @Nullable KernelArguments kargs,
    Map<String, String> extensions,
    boolean locked,
    Map<String, GVariant> others) {
  private static final String TARGET = "target";
  private static final String MERGE = "merge-deployment";
  private static final String KARGS = "kargs";
  private static final String LOCKED = "locked";
  private static final String EXTENSIONS = "bootconfig-extra";

  /** A deployment as the file names it. */
  public record Name(String stateroot, String id, String bootChecksum) {
    public static Name of(Deployment deployment) {
      return new Name(deployment.stateroot(), deployment.id(), deployment.bootChecksum());
    }

    private static Name decode(GVariant value) {
      Map<String, GVariant> map = value.asMap();
      Name name = new Name(text(map, "osname"), text(map, "name"), text(map, "bootcsum"));
      if (!SysrootState.isName(name.stateroot)
          || !SysrootState.isDeploymentId(name.id)
          || !SysrootState.isName(name.bootChecksum)) {
        throw Problem.corrupt("the staged deployment's file names \"" + name.id + "\"");
      }
      return name;
    }

    private static String text(Map<String, GVariant> map, String key) {
      GVariant value = map.get(key);
      if (value == null || !value.type().equals("s")) {
        throw Problem.corrupt("the staged deployment's file has no " + key);
      }
      return value.asString();
    }

    private GVariant encode() {
      Map<String, GVariant> map = new LinkedHashMap<>();
      map.put("name", GVariant.string(id));
      map.put("osname", GVariant.string(stateroot));
      map.put("bootcsum", GVariant.string(bootChecksum));
      return GVariant.dictionary(map);
    }
  }

  /** Reads the file; null when there is none. */
  static @Nullable StagedFile read(Path file) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return null;
    }
    Map<String, GVariant> map = new LinkedHashMap<>(GVariant.parse("a{sv}", bytes).asMap());
    GVariant target = map.remove(TARGET);
    if (target == null) {
      throw Problem.corrupt(file + " names no deployment");
    }
    GVariant merge = map.remove(MERGE);
    GVariant kargs = map.remove(KARGS);
    GVariant locked = map.remove(LOCKED);
    Map<String, String> extensions = new LinkedHashMap<>();
    GVariant extra = map.remove(EXTENSIONS);
    if (extra != null) {
      for (GVariant entry : extra.elements()) {
        extensions.put(entry.child(0).asString(), entry.child(1).asString());
      }
    }
    return new StagedFile(
        Name.decode(target),
        merge == null ? null : Name.decode(merge),
        kargs == null ? null : new KernelArguments(kargs.asStrings()),
        extensions,
        locked != null && locked.asBoolean(),
        map);
  }

  public StagedFile withLocked(boolean lock) {
    return new StagedFile(target, merge, kargs, extensions, lock, others);
  }

  StagedFile withKargs(KernelArguments list) {
    return new StagedFile(target, merge, list, extensions, locked, others);
  }

  /** Writes the file; the rename is what stages the deployment. */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, encode());
  }

  byte[] encode() {
    Map<String, GVariant> map = new LinkedHashMap<>();
    map.put(TARGET, target.encode());
    if (locked) {
      map.put(LOCKED, GVariant.bool(true));
    }
    if (merge != null) {
      map.put(MERGE, merge.encode());
    }
    if (kargs != null) {
      map.put(KARGS, GVariant.strings(kargs.list()));
    }
    if (!extensions.isEmpty()) {
      List<GVariant> entries = new ArrayList<>();
      extensions.forEach(
          (k, v) -> entries.add(GVariant.entry(GVariant.string(k), GVariant.string(v))));
      map.put(EXTENSIONS, GVariant.array("{ss}", entries));
    }
    map.putAll(others);
    return GVariant.dictionary(map).toBytes();
  }
}
