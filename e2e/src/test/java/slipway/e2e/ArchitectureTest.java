package slipway.e2e;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Holds the house in shape: who may use whom and what of it, as the table of docs/architecture.md
 * says, and who alone may name a library.
 */
class ArchitectureTest {
  /** What is public though no other package uses it, and why. */
  private static final Map<String, String> ALSO_PUBLIC =
      Map.of(
          "slipway.cli.Main", "launchers name it, and tests of every package run it",
          "slipway.oci.registry.SpeedFloor", "the compiler copies its constant into builder",
          "slipway.composefs.ErofsImage",
              "the reader that the writer is held to, in ostree's tests too",
          "slipway.composefs.XxHash32", "ostree's tests hold it to its specification",
          "slipway.ostree.repo.FsckReport", "tests of imports ask what a damaged repository lacks");

  /**
   * A row of the table.
   *
   * @param doors packages and classes that other rooms may use
   * @param inner packages that they may not use
   * @param below the rooms that it may use, directly or through others
   */
  private record Room(Set<String> doors, Set<String> inner, Set<String> below) {}

  /** Rooms that are no part of the product. */
  private static final Set<String> OF_TESTS = Set.of("e2e", "bench");

  private static final Pattern NAME = Pattern.compile("`([^`]+)`");

  /** By name. A row names rooms of later rows only. */
  private static final Map<String, Room> ROOMS = new TreeMap<>();

  static {
    try (Stream<String> lines = Files.lines(Path.of("../docs/architecture.md"))) {
      lines
          .dropWhile(line -> !line.startsWith("| room | doors |"))
          .takeWhile(line -> line.startsWith("|"))
          .filter(line -> line.startsWith("| `"))
          .toList()
          .reversed()
          .forEach(ArchitectureTest::readRow);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void readRow(String row) {
    String[] cells = row.split("\\|");
    Set<String> direct = cells[5].contains("all below") ? ROOMS.keySet() : names(cells[5], "");
    Set<String> below = new TreeSet<>(direct);
    direct.forEach(room -> below.addAll(ROOMS.get(room).below()));
    for (String room : names(cells[1], "")) {
      String prefix = "slipway." + room;
      Set<String> doors = names(cells[2], prefix + ".");
      if (cells[2].contains("itself")) {
        doors.add(prefix);
      }
      ROOMS.put(room, new Room(doors, names(cells[3], prefix + "."), below));
    }
  }

  private static Set<String> names(String cell, String prefix) {
    return NAME.matcher(cell)
        .results()
        .map(name -> prefix + name.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(location -> location.contains("/target/classes/slipway/"))
          .importPaths(
              ROOMS.keySet().stream()
                  .filter(room -> !OF_TESTS.contains(room))
                  .map(ArchitectureTest::classes)
                  .toList());

  /**
   * What a room was compiled to. It is read by its path: this module uses few rooms itself, so that
   * its machines run while tests of other rooms do.
   */
  private static Path classes(String room) {
    return Path.of("..", room, "target", "classes");
  }

  private static String room(JavaClass c) {
    return c.getPackageName().split("\\.")[1];
  }

  private static JavaClass topLevel(JavaClass c) {
    return c.getEnclosingClass().map(ArchitectureTest::topLevel).orElse(c);
  }

  @Test
  void roomsUseTheDoorsOfRoomsBelow() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass user : CLASSES) {
      for (Dependency use : user.getDirectDependenciesFromSelf()) {
        JavaClass target = topLevel(use.getTargetClass().getBaseComponentType());
        if (!target.getPackageName().startsWith("slipway.") || room(target).equals(room(user))) {
          continue;
        }
        Set<String> doors = ROOMS.get(room(target)).doors();
        if (!ROOMS.get(room(user)).below().contains(room(target))) {
          wrong.add("not a room below: " + use.getDescription());
        } else if (!doors.contains(target.getPackageName()) && !doors.contains(target.getName())) {
          wrong.add("not a door: " + use.getDescription());
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void theTableNamesEachPackage() {
    Map<String, Set<String>> packages =
        CLASSES.stream()
            .collect(
                Collectors.groupingBy(
                    ArchitectureTest::room,
                    Collectors.mapping(
                        JavaClass::getPackageName, Collectors.toCollection(TreeSet::new))));
    assertThat(ROOMS.keySet()).containsAll(packages.keySet());
    packages.forEach(
        (room, inIt) -> {
          Set<String> told = new TreeSet<>(Set.of("slipway." + room));
          told.addAll(ROOMS.get(room).inner());
          told.addAll(ROOMS.get(room).doors());
          told.removeIf(name -> Character.isUpperCase(name.charAt(name.lastIndexOf('.') + 1)));
          inIt.add("slipway." + room);
          assertThat(told).as(room).isEqualTo(inIt);
        });
  }

  @Test
  void whatIsPublicIsUsedFromAnotherPackage() {
    Set<String> used = new TreeSet<>(ALSO_PUBLIC.keySet());
    for (JavaClass user : CLASSES) {
      user.getDirectDependenciesFromSelf().stream()
          .map(use -> topLevel(use.getTargetClass().getBaseComponentType()))
          .filter(target -> !target.getPackageName().equals(user.getPackageName()))
          .forEach(target -> used.add(target.getName()));
    }
    assertThat(
            CLASSES.stream()
                .filter(c -> c.isTopLevelClass() && c.getModifiers().contains(JavaModifier.PUBLIC))
                .filter(
                    c -> !c.isAnnotatedWith("io.soabase.recordbuilder.core.RecordBuilderGenerated"))
                .map(JavaClass::getName)
                .filter(name -> !used.contains(name)))
        .isEmpty();
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
    only("org.snakeyaml..", "base");
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
