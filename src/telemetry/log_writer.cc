// SPDX-License-Identifier: MIT
#include "telemetry/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "ports/thread.h"

namespace sluice {

using namespace std::chrono_literals;

namespace {
constexpr std::size_t enough = 64 * 1024;
constexpr auto longest_wait = 20ms;
constexpr auto patience = 1s;  // with a reader that takes nothing, once we are to stop
}  // namespace

// An open descriptor; the last owner closes it, unless it is standard error.
class LogWriter::File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {
    struct stat about{};
    regular_ = fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
  }
  ~File() {
    if (descriptor_ != STDERR_FILENO) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool regular() const { return regular_; }

 private:
  int descriptor_;
  bool regular_ = false;
};

LogWriter::LogWriter() : file_(std::make_shared<File>(STDERR_FILENO)) {
  thread_ = start_thread([this] { run(); });
}

LogWriter::~LogWriter() {
  {
    const std::lock_guard guard(lock_);
    stop_ = true;
    stopped_at_ = std::chrono::steady_clock::now();
  }
  wake_.notify_one();
  thread_.join();
}

void LogWriter::append(std::string_view lines) {
  bool wake = false;
  {
    const std::lock_guard guard(lock_);
    if (front_.size() + writing_ + lines.size() > most_waiting) {
      dropped_ += static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
      return;
    }
    const bool was_enough = front_.size() >= enough;
    front_ += lines;
    taken_ += lines.size();
    wake = idle_ || (!was_enough && front_.size() >= enough);
    idle_ = false;
  }
  if (wake) wake_.notify_one();
}

Result<void> LogWriter::use(std::string path) {
  {
    const std::lock_guard guard(lock_);
    if (path == path_) return {};
  }
  return open(path);
}

Result<void> LogWriter::reopen() {
  std::string path;
  {
    const std::lock_guard guard(lock_);
    path = path_;
  }
  if (path.empty()) return {};
  return open(path);
}

Result<void> LogWriter::open(const std::string& path) {
  int descriptor = STDERR_FILENO;
  if (!path.empty()) {
    // O_NONBLOCK: a named pipe that nobody reads must not hold up the start.
    descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (descriptor < 0)
      return fail(Fault::internal, "The log file cannot be opened.", path + ": " + std::strerror(errno));
  }
  auto file = std::make_shared<const File>(descriptor);
  const std::lock_guard guard(lock_);
  path_ = path;
  file_ = std::move(file);
  return {};
}

bool LogWriter::flush(std::chrono::milliseconds wait) {
  std::unique_lock guard(lock_);
  const std::uint64_t target = taken_;
  hurry_ = true;
  wake_.notify_one();
  return written_.wait_for(guard, wait, [&] { return done_ >= target; });
}

bool LogWriter::terminal() const {
  const std::lock_guard guard(lock_);
  return isatty(file_->descriptor()) == 1;
}

std::uint64_t LogWriter::dropped() const {
  const std::lock_guard guard(lock_);
  return dropped_;
}

void LogWriter::run() {
  std::string lines;
  std::unique_lock guard(lock_);
  for (;;) {
    while (front_.empty() && !stop_) {
      idle_ = true;
      wake_.wait(guard);
    }
    idle_ = false;
    wake_.wait_for(guard, longest_wait, [this] { return stop_ || hurry_ || front_.size() >= enough; });
    if (front_.empty() && stop_) return;

    lines.swap(front_);
    writing_ = lines.size();
    hurry_ = false;
    const std::shared_ptr<const File> file = file_;
    guard.unlock();
    write(*file, lines);
    lines.clear();
    if (lines.capacity() > 4 * enough) lines.shrink_to_fit();
    guard.lock();
    done_ += std::exchange(writing_, 0);
    written_.notify_all();
  }
}

// What cannot be written (disk full, reader gone) is dropped: later lines may fare better.
void LogWriter::write(const File& file, std::string_view lines) {
  while (!lines.empty()) {
    if (write_some(file, lines)) continue;
    const std::lock_guard guard(lock_);
    dropped_ += static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
    return;
  }
}

// Writes a stretch off the front of `lines`; false when that failed for good. Pipes and terminals, whose reader may
// have stopped, get no more than what poll() promises room for, and whole lines if they fit.
bool LogWriter::write_some(const File& file, std::string_view& lines) {
  std::string_view piece = lines;
  if (!file.regular()) {
    if (piece.size() > PIPE_BUF) {
      const auto line_end = piece.substr(0, PIPE_BUF).rfind('\n');
      piece = piece.substr(0, line_end == std::string_view::npos ? PIPE_BUF : line_end + 1);
    }
    pollfd ready{.fd = file.descriptor(), .events = POLLOUT, .revents = 0};
    if (poll(&ready, 1, 100) == 0) {
      const std::lock_guard guard(lock_);
      return !stop_ || std::chrono::steady_clock::now() - stopped_at_ < patience;
    }
  }
  const ssize_t size = ::write(file.descriptor(), piece.data(), piece.size());
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  lines.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

}  // namespace sluice
