// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "ledger/journal.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = "lock";

std::unexpected<Failure> failed(const std::string& what, int error) {
  return fail(Fault::internal, "The ledger's journal cannot be written.", what + ": " + std::strerror(error));
}

std::unexpected<Failure> unread(const std::string& what, int error) {
  return fail(Fault::internal, "A journal of the ledger that was left behind cannot be read.",
              what + ": " + std::strerror(error));
}

}  // namespace

HeldDirectory::HeldDirectory(HeldDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

HeldDirectory& HeldDirectory::operator=(HeldDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

HeldDirectory::~HeldDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

// Made and locked under a name that nobody looks for, so that nobody takes it for one that was left behind.
Result<HeldDirectory> HeldDirectory::make(const std::string& root, std::int64_t unix_ms) {
  std::error_code ignored;  // what is wrong shows below
  // One that was there has the rights that somebody gave it.
  if (fs::create_directories(root, ignored)) fs::permissions(root, fs::perms::owner_all, ignored);
  const std::string name = std::to_string(unix_ms) + '-' + std::to_string(::getpid());
  for (int more = 0; more < 100; ++more) {
    const std::string suffix = more == 0 ? "" : '-' + std::to_string(more);
    const std::string hidden = root + "/.new-" + name + suffix;
    if (::mkdir(hidden.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      return failed(hidden, errno);
    }
    const int lock = ::open((hidden + '/' + lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) return failed(hidden, errno);
    HeldDirectory out(root + "/run-" + name + suffix, lock);
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) return failed(hidden, errno);
    if (::rename(hidden.c_str(), out.path_.c_str()) == 0) return out;
    if (errno != EEXIST && errno != ENOTEMPTY) return failed(out.path_, errno);
    fs::remove_all(hidden, ignored);
  }
  return failed(root, EEXIST);
}

std::vector<HeldDirectory> HeldDirectory::left_behind(const std::string& root) {
  std::vector<HeldDirectory> out;
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with("run-")) names.push_back(at->path().string());
  }
  std::ranges::sort(names);
  for (std::string& name : names) {
    const int lock = ::open((name + '/' + lock_name).c_str(), O_RDWR | O_CLOEXEC);
    if (lock < 0) continue;
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
      ::close(lock);  // its process lives
      continue;
    }
    out.emplace_back(std::move(name), lock);
  }
  return out;
}

void HeldDirectory::remove() {
  std::error_code error;
  const auto all = segments();
  if (!all) return;
  for (const std::string& segment : *all) {
    if (fs::remove(segment, error); error) return;
  }
  // The lock last: until then nobody else may think that there is something to be had.
  fs::remove(path_ + '/' + lock_name, error);
  fs::remove(path_, error);  // segments that were put aside stay
}

Result<std::vector<std::string>> HeldDirectory::segments() const {
  std::vector<std::string> out;
  std::error_code error;
  fs::directory_iterator at(path_, error);
  for (const fs::directory_iterator end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".log") out.push_back(at->path().string());
  }
  if (error) return unread(path_, error.value());
  std::ranges::sort(out);
  return out;
}

Result<std::string> read_segment(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return unread(path, errno);
  std::string out;
  struct stat told{};
  int error = ::fstat(file, &told) == 0 ? 0 : errno;
  if (error == 0) out.resize(static_cast<std::size_t>(told.st_size));
  std::size_t size = 0;
  while (error == 0 && size < out.size()) {
    const ssize_t got = ::read(file, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  ::close(file);
  if (error != 0) return unread(path, error);
  out.resize(size);
  return out;
}

}  // namespace sluice
