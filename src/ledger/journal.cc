// SPDX-License-Identifier: MIT
#include "ledger/journal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <utility>

#include "ports/thread.h"

namespace sluice {
namespace {

constexpr std::size_t spares_wanted = 2;
// An appender that still looks at a segment has slept while that many after it were filled, read and given up.
constexpr std::size_t most_retired = 4096;
constexpr std::size_t ahead = 256 * 1024;
constexpr std::chrono::milliseconds while_busy{25}, while_idle{250};

std::unexpected<Failure> failed(std::string_view what, int error) {
  return fail(Fault::internal, "The ledger's journal cannot be written.",
              std::string(what) + ": " + std::strerror(error));
}

// A file's name is the directory's, and has to be synced there. Returns errno.
int sync_directory(const std::string& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno;
  const int error = ::fsync(directory) == 0 ? 0 : errno;
  ::close(directory);
  return error;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(Settings settings) {
  std::unique_ptr<Journal> out(new Journal(std::move(settings)));
  TRY(out->directory_, HeldDirectory::make(out->settings_.root, out->settings_.unix_ms));
  out->discard_ = true;  // as long as nothing can have been appended
  for (std::size_t i = 0; i < 1 + spares_wanted; ++i) {
    TRY(auto segment, out->make_segment());
    out->spares_.push_back(std::move(segment));
  }
  out->discard_ = false;
  out->segments_.push_back(std::move(out->spares_.front()));
  out->spares_.pop_front();
  out->current_ = out->segments_.back().get();
  out->thread_ = start_thread([self = out.get()] { self->run(); });
  return out;
}

void Journal::stop() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  stopped_.store(true, std::memory_order_release);
}

Journal::~Journal() {
  stop();
  for (auto* list : {&segments_, &spares_}) {
    for (auto& segment : *list) {
      ::munmap(segment->base, segment->size);
      ::close(segment->file);
    }
  }
  if (discard_) directory_.remove();
}

// --- the appender's side ---------------------------------------------------------------------------------------------

// A place is taken by one addition, so that nobody waits for another's copying. A record counts once its size is there.
Journal::Slot Journal::reserve(std::size_t size) {
  const std::size_t room = record_room(size);
  if (size > most_record) return {};
  for (;;) {
    Segment* segment = current_.load(std::memory_order_acquire);
    const std::size_t at = segment->tail.fetch_add(room, std::memory_order_relaxed);
    if (at + room <= segment->size) return {.segment = segment, .at = segment->base + at + record_head, .size = size};
    // Of those that find no room exactly one, the first, begins inside: no record stands behind it.
    if (at <= segment->size) segment->end.store(at, std::memory_order_release);
    if (!turn(segment)) return {};
  }
}

void Journal::commit(const Slot& slot) {
  char* const head = slot.at - record_head;
  const std::uint32_t crc = record_checksum(slot.segment->salt, {slot.at, slot.size});
  std::memcpy(head + 4, &crc, 4);
  std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(head))
      .store(static_cast<std::uint32_t>(slot.size), std::memory_order_release);
  // Behind the bytes: what is counted is covered by a sync that begins now.
  slot.segment->committed.fetch_add(record_room(slot.size), std::memory_order_release);
}

// Once in thousands of appends: the one place that may call the system, to wake whoever makes the next segment.
bool Journal::turn(const Segment* full) {
  {
    const std::scoped_lock lock(mutex_);
    if (current_.load(std::memory_order_relaxed) != full) return true;
    if (spares_.empty()) {
      takes_.store(false, std::memory_order_relaxed);
      return false;
    }
    segments_.push_back(std::move(spares_.front()));
    spares_.pop_front();
    // The last spare is for what is under way already.
    if (spares_.empty()) takes_.store(false, std::memory_order_relaxed);
    current_.store(segments_.back().get(), std::memory_order_release);
    turned_ = true;
  }
  wake_.notify_one();
  return true;
}

bool Journal::append(const Intent& intent) {
  if (!takes()) return false;
  const Slot slot = reserve(entry_size(intent));
  if (!slot.segment) return false;
  write_entry(slot.at, intent);
  commit(slot);
  return true;
}

void Journal::append(const Checkpoint& checkpoint) {
  const Slot slot = reserve(entry_size(checkpoint));
  if (!slot.segment) return;
  write_entry(slot.at, checkpoint);
  commit(slot);
}

// Each part has as many calls as there is room for; the books close the exchange by the last one.
void Journal::put_in_parts(const Settlement& settlement, std::span<const CallLine> calls) {
  Settlement part = settlement;
  const std::size_t head = entry_size(part);
  while (!calls.empty()) {
    std::size_t size = head + entry_size(calls.front());
    std::size_t count = 1;
    for (; count < calls.size(); ++count) {
      const std::size_t more = entry_size(calls[count]);
      if (size + more > most_record) break;
      size += more;
    }
    part.calls = static_cast<std::uint32_t>(count);
    part.more = count < calls.size();
    put(part, calls.first(count), size);
    calls = calls.subspan(count);
  }
}

void Journal::keep_back(std::string bytes) {
  const std::scoped_lock lock(mutex_);
  kept_back_.push_back(std::move(bytes));
}

void Journal::sync(std::move_only_function<void(bool)> told) {
  {
    std::unique_lock lock(mutex_);
    if (closing_) {
      lock.unlock();
      return told(false);
    }
    waiting_.push_back(std::move(told));
  }
  wake_.notify_one();
}

Journal::State Journal::state() const {
  const std::scoped_lock lock(mutex_);
  return {.health = health_, .why = why_, .segments = files_, .kept_back = kept_back_.size()};
}

// --- the journal's thread --------------------------------------------------------------------------------------------

// Gives a segment that has its file its room, its head and its memory. Returns errno.
int Journal::allot(Segment& segment) {
  if (const int error = ::posix_fallocate(segment.file, 0, static_cast<off_t>(segment.size)); error != 0) return error;
  // Or the name may be lost with the power.
  if (strict()) {
    if (const int error = sync_directory(directory_.path()); error != 0) return error;
    if (!named_) {
      if (const int error = sync_directory(settings_.root); error != 0) return error;
      named_ = true;
    }
  }
  void* const base = ::mmap(nullptr, segment.size, PROT_READ | PROT_WRITE, MAP_SHARED, segment.file, 0);
  if (base == MAP_FAILED) return errno;
  segment.base = static_cast<char*>(base);
  SegmentHead head{.number = segment.number, .salt = segment.salt};
  head.crc = head.checksum();
  std::memcpy(segment.base, &head, sizeof head);
  return 0;
}

Result<std::unique_ptr<Journal::Segment>> Journal::make_segment() {
  auto out = std::make_unique<Segment>();
  {
    const std::scoped_lock lock(mutex_);
    if ((files_ + 1) * settings_.segment_bytes > settings_.most_bytes) {
      return fail(Fault::internal, "The ledger's journal cannot be written.", "it holds as much as it may");
    }
    out->number = ++last_number_;
  }
  out->size = settings_.segment_bytes;
  out->salt = std::random_device{}();
  const std::string digits = std::to_string(out->number);
  out->path =
      directory_.path() + '/' + std::string(10 - std::min<std::size_t>(digits.size(), 10), '0') + digits + ".log";
  out->file = ::open(out->path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (out->file < 0) return failed(out->path, errno);
  if (const int error = allot(*out); error != 0) {
    ::close(out->file);
    ::unlink(out->path.c_str());
    return failed(out->path, error);
  }
  const std::scoped_lock lock(mutex_);
  ++files_;
  return out;
}

// A journal that takes the last of a disk leaves none to the store, whose work would empty it. Settlements that wait in
// memory come first.
Result<void> Journal::leave_room() {
  {
    const std::scoped_lock lock(mutex_);
    if (!kept_back_.empty()) return {};
  }
  struct statvfs disk{};
  if (::statvfs(directory_.path().c_str(), &disk) != 0) return {};  // making a file says why
  const std::uint64_t left = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (left >= settings_.segment_bytes + settings_.kept_free) return {};
  return fail(Fault::internal, "The ledger's journal cannot be written.",
              directory_.path() + ": the disk has no more than " + std::to_string(left >> 20U) + " MiB left");
}

void Journal::prepare() {
  for (;;) {
    {
      const std::scoped_lock lock(mutex_);
      if (spares_.size() >= spares_wanted) {
        if (health_ == Health::broken) return;
        health_ = Health::well;
        why_.clear();
        takes_.store(true, std::memory_order_relaxed);
        return;
      }
    }
    const auto may = leave_room();
    auto made = may ? make_segment() : std::unexpected(may.error());
    if (!made) {
      const std::scoped_lock lock(mutex_);
      if (health_ == Health::broken) return;
      why_ = made.error()->detail;
      // With a spare there is still room for what comes.
      health_ = spares_.empty() ? Health::full : Health::well;
      takes_.store(!spares_.empty(), std::memory_order_relaxed);
      return;
    }
    const std::scoped_lock lock(mutex_);
    spares_.push_back(std::move(*made));
  }
}

std::size_t Journal::place_kept_back() {
  for (;;) {
    std::string bytes;
    {
      const std::scoped_lock lock(mutex_);
      if (kept_back_.empty()) return 0;
      bytes = kept_back_.front();
    }
    const Slot slot = reserve(bytes.size());
    if (slot.segment) {
      std::memcpy(slot.at, bytes.data(), bytes.size());
      commit(slot);
    }
    const std::scoped_lock lock(mutex_);
    if (!slot.segment) return kept_back_.size();
    kept_back_.pop_front();
  }
}

// A page that is first written to costs its writer a fault, and may cost a wait for the disk.
void Journal::touch_ahead() {
#ifdef MADV_POPULATE_WRITE
  Segment* segment = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (segments_.empty()) return;
    segment = segments_.back().get();
    segment->in_use = true;
  }
  constexpr std::size_t page = 4096;
  const std::size_t tail = std::min(segment->tail.load(std::memory_order_relaxed), segment->size);
  const std::size_t until = std::min(tail + ahead, segment->size);
  if (segment->touched < tail + ahead / 2 && segment->touched < until) {
    const std::size_t from = segment->touched / page * page;
    // Only a help: where the kernel does not know it, nothing comes of it.
    (void)::madvise(segment->base + from, (until - from + page - 1) / page * page, MADV_POPULATE_WRITE);
    segment->touched = until;
  }
  const std::scoped_lock lock(mutex_);
  segment->in_use = false;
#endif
}

bool Journal::sync_all() {
  struct Behind {
    Segment* segment;
    std::size_t committed;
  };
  std::vector<Behind> behind;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& segment : segments_) {
      const std::size_t committed = segment->committed.load(std::memory_order_acquire);
      if (segment->synced == committed) continue;
      segment->in_use = true;
      behind.push_back({segment.get(), committed});
    }
  }
  bool well = true;
  for (const auto& [segment, committed] : behind) {
    if (::fdatasync(segment->file) != 0) {
      well = false;
    } else {
      segment->synced = committed;
    }
  }
  const std::scoped_lock lock(mutex_);
  for (const auto& one : behind) one.segment->in_use = false;
  // What the kernel could not write once may be lost, whatever it says the next time.
  if (!well) {
    health_ = Health::broken;
    why_ = "the disk did not take what was written";
    takes_.store(false, std::memory_order_relaxed);
  }
  return well && health_ != Health::broken;
}

void Journal::run() {
  std::size_t last_tail = 0;
  for (;;) {
    std::vector<std::move_only_function<void(bool)>> waiting;
    {
      std::unique_lock lock(mutex_);
      const std::size_t tail = current_.load()->tail.load();
      const bool busy = tail != last_tail || !kept_back_.empty();
      last_tail = tail;
      wake_.wait_for(lock, busy ? while_busy : while_idle, [this] { return closing_ || turned_ || !waiting_.empty(); });
      turned_ = false;
      waiting.swap(waiting_);
      if (closing_ && waiting.empty()) break;
    }
    prepare();
    const std::size_t kept_back = place_kept_back();
    touch_ahead();
    if (waiting.empty()) continue;
    const bool well = sync_all() && kept_back == 0;
    for (auto& told : waiting) told(well);
  }
  // What still waits is placed as long as there is any room to be had.
  for (std::size_t before = 0;;) {
    prepare();
    const std::size_t left = place_kept_back();
    if (left == 0 || left == before) break;
    before = left;
  }
}

// --- the drainer's side ----------------------------------------------------------------------------------------------

std::size_t Journal::read(const Taken& taken) {
  std::vector<Segment*> all;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& segment : segments_) {
      if (segment->read < segment->limit()) all.push_back(segment.get());
    }
  }
  std::size_t count = 0;
  for (Segment* segment : all) {
    while (segment->read < segment->limit() && segment->read + record_head <= segment->size) {
      char* const head = segment->base + segment->read;
      const std::uint32_t size =
          std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(head)).load(std::memory_order_acquire);
      if (size == 0) return count;  // nothing yet, or somebody is about to write it: what follows may build upon that
      if (!taken({head + record_head, size}, segment->number)) return count;
      segment->read += record_room(size);
      ++count;
    }
  }
  return stopped_.load(std::memory_order_acquire) ? count + read_kept_back(taken) : count;
}

// Nobody places them any more.
std::size_t Journal::read_kept_back(const Taken& taken) {
  for (std::size_t count = 0;; ++count) {
    const std::string* bytes = nullptr;
    {
      const std::scoped_lock lock(mutex_);
      if (kept_back_.empty()) return count;
      bytes = &kept_back_.front();  // it stays where it is while others come behind it
    }
    if (!taken(*bytes, 0)) return count;
    const std::scoped_lock lock(mutex_);
    kept_back_.pop_front();
  }
}

void Journal::release(const std::function<bool(std::uint64_t)>& wanted) {
  std::vector<Segment*> over;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& segment : segments_) {
      if (segment->read >= segment->limit()) over.push_back(segment.get());
    }
  }
  for (Segment* segment : over) {
    if (wanted(segment->number)) continue;
    {
      const std::scoped_lock lock(mutex_);
      if (segment->in_use) continue;  // the next time
      const auto at = std::ranges::find_if(segments_, [&](const auto& one) { return one.get() == segment; });
      retired_.push_back(std::move(*at));
      segments_.erase(at);
      if (retired_.size() > most_retired) retired_.pop_front();
    }
    ::munmap(segment->base, segment->size);
    ::close(segment->file);
    ::unlink(segment->path.c_str());
    segment->path = {};
    const std::scoped_lock lock(mutex_);
    --files_;
  }
}

bool Journal::drained() {
  const std::scoped_lock lock(mutex_);
  if (!kept_back_.empty()) return false;
  return std::ranges::all_of(
      segments_, [](const auto& segment) { return segment->read >= std::min(segment->tail.load(), segment->limit()); });
}

}  // namespace sluice
