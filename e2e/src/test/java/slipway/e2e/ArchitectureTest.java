package slipway.e2e;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Holds the house in shape: who may use whom, and who alone may name a library. */
class ArchitectureTest {
  /**
   * Each room and the rooms it may use, directly or through others; docs/architecture.md shows the
   * same table.
   */
  private static final Map<String, Set<String>> MAY_USE = new LinkedHashMap<>();

  static {
    room("base");
    room("linux", "base");
    room("archive", "linux", "base");
    room("oci", "archive", "linux", "base");
    room("config", "oci", "archive", "linux", "base");
    room("tree", "archive", "linux", "base");
    room("composefs", "archive", "linux", "base");
    room("system", "tree", "oci", "archive", "linux", "base");
    room("ostree", "composefs", "tree", "oci", "archive", "linux", "base");
    room("sysroot", "ostree", "system", "composefs", "tree", "oci", "archive", "linux", "base");
    room("container", "system", "tree", "oci", "archive", "linux", "base");
    room("distro", "container", "system", "tree", "oci", "archive", "linux", "base");
    room("builder", "container", "system", "tree", "oci", "archive", "linux", "base");
    room(
        "disk",
        "sysroot",
        "ostree",
        "system",
        "composefs",
        "tree",
        "oci",
        "archive",
        "linux",
        "base");
    room("media", "linux", "base");
    room(
        "host",
        "disk",
        "sysroot",
        "ostree",
        "system",
        "composefs",
        "tree",
        "config",
        "oci",
        "archive",
        "linux",
        "base");
    room("http", "base");
    room("registry", "http", "oci", "archive", "linux", "base");
    room(
        "startup",
        "host",
        "disk",
        "builder",
        "container",
        "sysroot",
        "ostree",
        "system",
        "composefs",
        "tree",
        "config",
        "oci",
        "archive",
        "linux",
        "base");
    room(
        "cli",
        "startup",
        "registry",
        "http",
        "host",
        "media",
        "disk",
        "builder",
        "distro",
        "container",
        "sysroot",
        "ostree",
        "system",
        "composefs",
        "tree",
        "config",
        "oci",
        "archive",
        "linux",
        "base");
  }

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("slipway");

  private static void room(String name, String... mayUse) {
    MAY_USE.put(name, Set.of(mayUse));
  }

  @Test
  void dependenciesPointDownwards() {
    MAY_USE.forEach(
        (room, allowed) -> {
          String[] others =
              MAY_USE.keySet().stream()
                  .filter(other -> !other.equals(room) && !allowed.contains(other))
                  .map(other -> "slipway." + other + "..")
                  .toArray(String[]::new);
          if (others.length > 0) {
            noClasses()
                .that()
                .resideInAPackage("slipway." + room + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(others)
                .check(CLASSES);
          }
        });
  }

  /** Packages of a room have an order too. */
  @Test
  void packagesUseEachOtherInOneDirection() {
    SlicesRuleDefinition.slices()
        .assignedFrom(PACKAGES)
        .should()
        .beFreeOfCycles()
        // An index of a repository's files knows the commits that imports of images leave.
        .ignoreDependency(
            resideInAPackage("slipway.ostree.repo"), resideInAPackage("slipway.ostree.container"))
        .check(CLASSES);
  }

  private static final SliceAssignment PACKAGES =
      new SliceAssignment() {
        @Override
        public String getDescription() {
          return "packages";
        }

        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
          return SliceIdentifier.of(javaClass.getPackageName());
        }
      };

  @Test
  void everyRoomIsInTheTable() {
    Set<String> rooms =
        CLASSES.stream()
            .map(JavaClass::getPackageName)
            .map(name -> name.split("\\.")[1])
            .filter(name -> !List.of("e2e", "bench").contains(name))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(rooms).isSubsetOf(MAY_USE.keySet()).contains("oci", "cli");
  }

  /** A name means one thing; "repository" is the word of both ostree and registries for theirs. */
  @Test
  void noSimpleNameStandsTwice() {
    Map<String, List<String>> packages =
        CLASSES.stream()
            .filter(JavaClass::isTopLevelClass)
            .filter(c -> !Set.of("package-info", "Repository").contains(c.getSimpleName()))
            .collect(
                Collectors.groupingBy(
                    JavaClass::getSimpleName,
                    Collectors.mapping(JavaClass::getPackageName, Collectors.toList())));
    packages.values().removeIf(places -> places.size() == 1);
    assertThat(packages).isEmpty();
  }

  @Test
  void aLibraryIsNamedInItsRoomOnly() {
    // Buffers in native memory may pass through; functions are bound in one place.
    for (String binding : List.of("Linker", "SymbolLookup", "FunctionDescriptor")) {
      noClasses()
          .that()
          .resideInAPackage("slipway..")
          .and()
          .resideOutsideOfPackage("slipway.linux..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.foreign." + binding)
          .check(CLASSES);
    }
    only("org.eclipse.jetty..", "http");
    only("com.github.luben..", "archive");
    only("tools.jackson.dataformat.toml..", "base");
    only("picocli..", "cli");
  }

  private static void only(String library, String... rooms) {
    String[] homes =
        Arrays.stream(rooms).map(room -> "slipway." + room + "..").toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage("slipway..")
        .and()
        .resideOutsideOfPackages(homes)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library)
        .check(CLASSES);
  }

  @Test
  void onlyTheCommandLinePrintsOrExits() {
    noClasses()
        .that()
        .resideInAPackage("slipway..")
        .and()
        .resideOutsideOfPackages("slipway.cli..", "slipway.bench..")
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .accessField(System.class, "out")
        .check(CLASSES);
  }
}
