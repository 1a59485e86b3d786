package slipway.cli;

/** The first page of help: every command in a line. */
final class Usage {
  private Usage() {}

  static String slipway() {
    return """
        Usage: slipway COMMAND [OPTIONS]
        Ships operating systems the way people ship containers.

        Images
          build        build an image from a Containerfile
          images       list images
          inspect      show an image's manifest and config
          history      show how an image was built
          tag          give an image another name
          rmi          remove names of images, and what nothing names any more
          system       df, prune: show and free the space that images and builds take
          save, load   write images to an archive, read them back
        Registries
          pull, push   fetch an image, send an image
          login        store credentials for a registry
          logout       forget them
          registry     serve, repair: a registry
        Machines
          base         build a bootable base image from a distribution's packages
          disk         make disk images
          vm           run a disk in a virtual machine
          bootc        what runs on a machine: status, upgrade, switch, rollback
          demo         the whole story, from a Containerfile to a machine that rolls back

        slipway COMMAND --help tells a command's options. Every command takes --limit NAME=VALUE, which
        changes a bound on what images and archives may cost; --limit help lists the bounds.
        """;
  }

  static String bootc() {
    return """
        Usage: bootc COMMAND [OPTIONS]
        Keeps a machine current with a bootable container image.

          status       show what is booted, staged, and kept for rollback
          upgrade      fetch the newest version of the booted image and stage it (also: update)
          switch       follow another image
          rollback     boot the previous version next

        bootc COMMAND --help tells a command's options. Every command takes --limit NAME=VALUE, which
        changes a bound on what an image may cost; --limit help lists the bounds.
        """;
  }
}
