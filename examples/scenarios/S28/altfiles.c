/*
 * A name service module like nss-altfiles, which Debian has no package of: users of /usr/lib/passwd and groups of
 * /usr/lib/group, which are the image's, beside those of /etc, which are the machine's.
 */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

/* What glibc looks for in libnss_altfiles.so.2, for one table: walks it, and finds one of it by name and by number. */
#define TABLE(FILE_NAME, RECORD, READ, SET, GET, END, BY_NAME, NAME, BY_ID, ID, ID_TYPE)                    \
  static FILE *open_##RECORD;                                                                               \
  static pthread_mutex_t lock_##RECORD = PTHREAD_MUTEX_INITIALIZER;                                         \
                                                                                                            \
  static enum nss_status next_##RECORD(FILE *file, struct RECORD *to, char *room, size_t size, int *code) { \
    struct RECORD *found;                                                                                   \
    int failed = file == NULL ? ENOENT : READ(file, to, room, size, &found);                                \
    if (failed == 0) return NSS_STATUS_SUCCESS;                                                             \
    *code = failed;                                                                                         \
    return failed == ERANGE ? NSS_STATUS_TRYAGAIN : NSS_STATUS_NOTFOUND;                                    \
  }                                                                                                         \
                                                                                                            \
  enum nss_status END(void) {                                                                               \
    pthread_mutex_lock(&lock_##RECORD);                                                                     \
    if (open_##RECORD != NULL) fclose(open_##RECORD);                                                       \
    open_##RECORD = NULL;                                                                                   \
    pthread_mutex_unlock(&lock_##RECORD);                                                                   \
    return NSS_STATUS_SUCCESS;                                                                              \
  }                                                                                                         \
                                                                                                            \
  enum nss_status SET(int stays_open) {                                                                     \
    (void)stays_open;                                                                                       \
    return END();                                                                                           \
  }                                                                                                         \
                                                                                                            \
  enum nss_status GET(struct RECORD *to, char *room, size_t size, int *code) {                              \
    pthread_mutex_lock(&lock_##RECORD);                                                                     \
    if (open_##RECORD == NULL) open_##RECORD = fopen(FILE_NAME, "re");                                      \
    long before = open_##RECORD == NULL ? 0 : ftell(open_##RECORD);                                         \
    enum nss_status status = next_##RECORD(open_##RECORD, to, room, size, code);                            \
    /* whoever comes again with more room reads the same line */                                            \
    if (status == NSS_STATUS_TRYAGAIN) fseek(open_##RECORD, before, SEEK_SET);                              \
    pthread_mutex_unlock(&lock_##RECORD);                                                                   \
    return status;                                                                                          \
  }                                                                                                         \
                                                                                                            \
  enum nss_status BY_NAME(const char *name, struct RECORD *to, char *room, size_t size, int *code) {        \
    FILE *file = fopen(FILE_NAME, "re");                                                                    \
    enum nss_status status;                                                                                 \
    do status = next_##RECORD(file, to, room, size, code);                                                  \
    while (status == NSS_STATUS_SUCCESS && strcmp(to->NAME, name) != 0);                                    \
    if (file != NULL) fclose(file);                                                                         \
    return status;                                                                                          \
  }                                                                                                         \
                                                                                                            \
  enum nss_status BY_ID(ID_TYPE id, struct RECORD *to, char *room, size_t size, int *code) {                \
    FILE *file = fopen(FILE_NAME, "re");                                                                    \
    enum nss_status status;                                                                                 \
    do status = next_##RECORD(file, to, room, size, code);                                                  \
    while (status == NSS_STATUS_SUCCESS && to->ID != id);                                                   \
    if (file != NULL) fclose(file);                                                                         \
    return status;                                                                                          \
  }

TABLE("/usr/lib/passwd", passwd, fgetpwent_r, _nss_altfiles_setpwent, _nss_altfiles_getpwent_r,
      _nss_altfiles_endpwent, _nss_altfiles_getpwnam_r, pw_name, _nss_altfiles_getpwuid_r, pw_uid, uid_t)
TABLE("/usr/lib/group", group, fgetgrent_r, _nss_altfiles_setgrent, _nss_altfiles_getgrent_r,
      _nss_altfiles_endgrent, _nss_altfiles_getgrnam_r, gr_name, _nss_altfiles_getgrgid_r, gr_gid, gid_t)
