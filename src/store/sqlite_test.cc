// SPDX-License-Identifier: MIT
#include "store/sqlite.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scratch_test.h"

namespace sluice {
namespace {

// Whether another process sees that somebody reads the file; what SQLite calls a shared lock.
bool seen_as_used(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct flock lock{.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510, .l_pid = 0};
    const bool asked = file >= 0 && ::fcntl(file, F_GETLK, &lock) == 0;
    ::_exit(asked && lock.l_type != F_UNLCK ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

TEST(Sqlite, OpenedOnceMoreIsStillSeenAsUsed) {
  const Scratch scratch;
  const std::string path = scratch.path() + "/db";
  auto first = Sqlite::open(path);
  ASSERT_TRUE(first);
  ASSERT_TRUE((*first)->run("PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1);"));
  ASSERT_TRUE(seen_as_used(path));
  {
    const auto second = Sqlite::open(path);
    ASSERT_TRUE(second);
    EXPECT_TRUE(seen_as_used(path));
  }
  EXPECT_TRUE(seen_as_used(path));
}

TEST(Sqlite, SaysWhereItCannotMakeAFile) {
  const auto none = Sqlite::open("/nowhere/at/all/db");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error()->detail.find("/nowhere/at/all/db"), std::string::npos);
}

}  // namespace
}  // namespace sluice
