// Where log lines go: a file or standard error, written by a thread of its own so that no worker waits for a disk or a
// reader that stopped. What it cannot take in time is dropped and counted. Not here: what a line says.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"

namespace sluice {

class LogWriter {
 public:
  // Begins on standard error. Lines leave at the latest after 20 ms, or when 64 KiB are waiting.
  LogWriter();
  // Writes what is waiting; gives up on a reader that takes nothing for a second.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Takes one or more whole lines, each with its line feed. One copy under a short lock, from any thread. Dropped when
  // `most_waiting` bytes are waiting already.
  void append(std::string_view lines);

  // From now on to the file at `path` (made if missing, appended to), or to standard error when it is empty. The same
  // path again does nothing. Error: internal, when it cannot be opened; then nothing changes.
  [[nodiscard]] Result<void> use(std::string path);
  // Opens the file anew under its name, for whoever moved the old one away. Standard error stays as it is.
  [[nodiscard]] Result<void> reopen();

  // Waits until everything appended so far was written or dropped, at most `wait`; tells whether it was.
  bool flush(std::chrono::milliseconds wait);

  // True when lines go to somebody's terminal.
  [[nodiscard]] bool terminal() const;
  [[nodiscard]] std::uint64_t dropped() const;

  static constexpr std::size_t most_waiting = 8 * 1024 * 1024;

 private:
  class File;
  void run();
  void write(const File& file, std::string_view lines);
  bool write_some(const File& file, std::string_view& lines);
  [[nodiscard]] Result<void> open(const std::string& path);

  mutable std::mutex lock_;
  std::condition_variable wake_;     // the thread waits for lines
  std::condition_variable written_;  // flush() waits for the thread
  std::string front_;                // lines that wait
  std::size_t writing_ = 0;          // bytes in the thread's hands
  std::uint64_t taken_ = 0;          // bytes ever appended
  std::uint64_t done_ = 0;           // of these, written or dropped by the thread
  std::uint64_t dropped_ = 0;        // lines
  bool idle_ = false;                // the thread sleeps until somebody calls
  bool hurry_ = false;
  bool stop_ = false;
  std::chrono::steady_clock::time_point stopped_at_{};
  std::string path_;
  std::shared_ptr<const File> file_;
  std::thread thread_;
};

}  // namespace sluice
