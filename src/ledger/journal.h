// Where exchanges are told of before anybody may forget them: one journal per process, in segments that are mapped into
// memory, so that what was appended outlives a killed process without a system call. Nothing is ever removed here
// before the drainer has it in the store. Not here: what entries say (entry.h), who reads them on (drainer.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/segment.h"

namespace sluice {

// A directory that one process holds by a lock as long as it lives. Closing the descriptor gives it back.
class HeldDirectory {
 public:
  HeldDirectory() = default;
  HeldDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  HeldDirectory(HeldDirectory&& other) noexcept;
  HeldDirectory& operator=(HeldDirectory&& other) noexcept;
  HeldDirectory(const HeldDirectory&) = delete;
  HeldDirectory& operator=(const HeldDirectory&) = delete;
  ~HeldDirectory();

  // A new one below `root`, which is made when it is missing. Error: internal, with what the system says.
  [[nodiscard]] static Result<HeldDirectory> make(const std::string& root, std::int64_t unix_ms);
  // Those of processes that are gone, each held by us from here on.
  [[nodiscard]] static std::vector<HeldDirectory> left_behind(const std::string& root);
  // Takes it and all segments in it off the disk. What cannot be deleted stays, to be found again.
  void remove();
  [[nodiscard]] const std::string& path() const { return path_; }
  // Its segments, in their order. Error: internal, when it cannot be listed.
  [[nodiscard]] Result<std::vector<std::string>> segments() const;

 private:
  std::string path_;
  int lock_ = -1;
};

// A segment's bytes. Not mapped: a bad disk would end the process. Error: internal, with what the system says.
[[nodiscard]] Result<std::string> read_segment(const std::string& path);

class Journal {
 public:
  enum class Durability : std::uint8_t {
    relaxed,  // outlives this process
    strict,   // and a loss of power: whoever asks for it is told when the disk has it
  };
  struct Settings {
    std::string root;
    std::int64_t unix_ms = 0;                     // now, for the directory's name
    std::size_t segment_bytes = 4 * 1024 * 1024;  // at least twice most_record
    std::size_t most_bytes = 1024 * 1024 * 1024;  // on the disk, while nobody drains
    std::size_t kept_free = 16 * 1024 * 1024;     // of the disk, for the store: it gives room back
    Durability durability = Durability::relaxed;
  };
  enum class Health : std::uint8_t {
    well,
    full,    // no room for new exchanges; those under way have theirs
    broken,  // the disk failed
  };
  struct State {
    Health health = Health::well;
    std::string why;  // for the operator; empty when it is well
    std::size_t segments = 0;
    std::size_t kept_back = 0;  // settlements that wait in memory for room
  };

  // Error: internal, when the directory or its first segments cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(Settings settings);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  // Appending waits for nobody, on any thread, and calls the system only at the turn of a segment. False: there is no
  // room, and the call must not be made.
  [[nodiscard]] bool append(const Intent& intent);
  // What cannot be told now is told by the next one.
  void append(const Checkpoint& checkpoint);
  // Never refused: where there is no room, it waits in memory for some.
  template <class Calls>
  void append(const Settlement& settlement, const Calls& calls);

  // Whether new exchanges may be begun; one load.
  [[nodiscard]] bool takes() const { return takes_.load(std::memory_order_relaxed); }
  [[nodiscard]] State state() const;
  [[nodiscard]] bool strict() const { return settings_.durability == Durability::strict; }
  // `told` is called once, on the journal's thread, when all that was appended before is on the disk; with false when
  // the disk failed or has no room for it.
  void sync(std::move_only_function<void(bool)> told);

  // For the drainer, one thread: all that was appended, in its order, up to what somebody is just writing. `taken` gets
  // a record and its segment's number; false ends the turn, and the same record comes again. Returns how many were
  // taken.
  using Taken = std::function<bool(std::string_view record, std::uint64_t segment)>;
  std::size_t read(const Taken& taken);
  // Deletes what was read whole, as far as `wanted` does not need it any more.
  void release(const std::function<bool(std::uint64_t segment)>& wanted);
  // After the last append: everything was read and released, so nothing is to be kept.
  [[nodiscard]] bool drained();
  // Whoever waits for the disk is told, and from then on at once: false. Appending goes on as long as there is room;
  // behind that settlements wait in memory, where read() finds them.
  void stop();
  // Nothing of it is needed: its directory goes with it.
  void discard_on_close() { discard_ = true; }
  [[nodiscard]] const std::string& root() const { return settings_.root; }

 private:
  struct Segment {
    std::uint64_t number = 0;
    std::uint32_t salt = 0;
    std::string path;
    int file = -1;
    char* base = nullptr;
    std::size_t size = 0;
    std::atomic<std::size_t> tail{segment_head};                 // up to here places are taken
    std::atomic<std::size_t> committed{0};                       // bytes of places that are written, in any order
    std::atomic<std::size_t> end{static_cast<std::size_t>(-1)};  // known once it is full
    std::size_t read = segment_head;                             // the drainer's
    std::size_t touched = segment_head;                          // the journal's thread's: up to here pages are there
    std::size_t synced = 0;                                      // the journal's thread's: of what is committed
    bool in_use = false;                                         // by the journal's thread: it may not go now
    [[nodiscard]] std::size_t limit() const { return std::min(end.load(std::memory_order_acquire), size); }
  };
  struct Slot {
    Segment* segment = nullptr;  // null: no room
    char* at = nullptr;
    std::size_t size = 0;
  };

  explicit Journal(Settings settings) : settings_(std::move(settings)) {}
  [[nodiscard]] Slot reserve(std::size_t size);
  static void commit(const Slot& slot);
  [[nodiscard]] bool turn(const Segment* full);
  template <class Calls>
  void put(const Settlement& settlement, const Calls& calls, std::size_t size);
  void put_in_parts(const Settlement& settlement, std::span<const CallLine> calls);
  void keep_back(std::string bytes);
  [[nodiscard]] Result<std::unique_ptr<Segment>> make_segment();
  [[nodiscard]] int allot(Segment& segment);
  void run();
  void prepare();
  [[nodiscard]] Result<void> leave_room();
  // Returns how many still wait.
  std::size_t place_kept_back();
  void touch_ahead();
  [[nodiscard]] bool sync_all();
  [[nodiscard]] std::size_t read_kept_back(const Taken& taken);

  Settings settings_;
  HeldDirectory directory_;
  std::atomic<Segment*> current_{nullptr};
  std::atomic<bool> takes_{true};
  std::atomic<bool> stopped_{false};  // the thread has ended
  bool discard_ = false;
  bool named_ = false;  // the directory's own name outlives a loss of power

  mutable std::mutex mutex_;  // of all below; never held while the disk is waited for
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Segment>> segments_;  // the last one is written to
  std::deque<std::unique_ptr<Segment>> spares_;
  std::deque<std::unique_ptr<Segment>> retired_;  // without their files: an appender may still look at one
  std::deque<std::string> kept_back_;
  std::vector<std::move_only_function<void(bool)>> waiting_;
  Health health_ = Health::well;
  std::string why_;
  std::size_t files_ = 0;
  std::uint64_t last_number_ = 0;
  bool turned_ = false;
  bool closing_ = false;
  std::thread thread_;
};

template <class Calls>
void Journal::append(const Settlement& settlement, const Calls& calls) {
  std::size_t size = entry_size(settlement);
  for (const CallLine& call : calls) size += entry_size(call);
  if (size <= most_record) return put(settlement, calls, size);
  put_in_parts(settlement, std::vector<CallLine>(std::begin(calls), std::end(calls)));
}

template <class Calls>
void Journal::put(const Settlement& settlement, const Calls& calls, std::size_t size) {
  const Slot slot = reserve(size);
  std::string aside;
  if (!slot.segment) aside.resize(size);
  char* at = write_entry(slot.segment ? slot.at : aside.data(), settlement);
  for (const CallLine& call : calls) at = write_entry(at, call);
  slot.segment ? commit(slot) : keep_back(std::move(aside));
}

}  // namespace sluice
