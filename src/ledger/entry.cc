// SPDX-License-Identifier: MIT
#include "ledger/entry.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

namespace sluice {
namespace {

static_assert(std::endian::native == std::endian::little, "entries are written as little-endian machines have them");

enum class Kind : std::uint8_t { intent = 1, checkpoint, settlement };

constexpr std::uint16_t lost_text = 0xFFFF;  // in place of a size

// No letter is cut in two.
std::string_view kept_name(std::string_view name) {
  if (name.size() <= most_entry_name) return name;
  std::size_t size = most_entry_name;
  while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0U) == 0x80U) --size;
  return name.substr(0, size);
}

// One list of fields per struct; three things are done with it: sizing, writing, reading. Of texts, names go without a
// word; what must be whole goes through whole().
class Sizer {
 public:
  void operator()(std::string_view name) { size_ += 2 + kept_name(name).size(); }
  void whole(std::string_view text) { size_ += 2 + (text.size() <= most_entry_text ? text.size() : 0); }
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void operator()(T) {
    size_ += sizeof(T);
  }
  void operator()(const Buckets& buckets) {
    size_ += 4;
    for (const std::int64_t count : buckets.raw()) size_ += count >= 0 ? 8 : 0;
  }
  template <class T>
  void operator()(const std::optional<T>&) {
    size_ += 1;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

constexpr std::uint8_t none = 255;

class Packer {
 public:
  explicit Packer(char* at) : at_(at) {}
  void operator()(std::string_view name) {
    const std::string_view kept = kept_name(name);
    (*this)(static_cast<std::uint16_t>(kept.size()));
    at_ = std::ranges::copy(kept, at_).out;
  }
  void whole(std::string_view text) {
    if (text.size() > most_entry_text) return (*this)(lost_text);
    (*this)(static_cast<std::uint16_t>(text.size()));
    at_ = std::ranges::copy(text, at_).out;
  }
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void operator()(T value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void operator()(const Buckets& buckets) {
    char* const mask_at = at_;
    at_ += 4;
    std::uint32_t mask = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
      const std::int64_t count = buckets.raw()[i];  // NOLINT(*-constant-array-index): of as many
      if (count < 0) continue;
      mask |= 1U << i;
      (*this)(count);
    }
    std::memcpy(mask_at, &mask, sizeof mask);
  }
  template <class T>
  void operator()(const std::optional<T>& value) {
    (*this)(value ? static_cast<std::uint8_t>(*value) : none);
  }
  [[nodiscard]] char* at() const { return at_; }

 private:
  char* at_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}
  void operator()(std::string_view& name) {
    std::uint16_t size = 0;
    (*this)(size);
    if (size > most_entry_name) return give_up();
    take(name, size);
  }
  void whole(std::string_view& text) {
    std::uint16_t size = 0;
    (*this)(size);
    if (size == lost_text) {
      lost_ = true;
    } else if (size > most_entry_text) {
      give_up();
    } else {
      take(text, size);
    }
  }
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  void operator()(T& value) {
    if (bytes_.size() < sizeof value) return give_up();
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
  }
  void operator()(bool& value) {
    std::uint8_t byte = 0;
    (*this)(byte);
    value = byte == 1;
    well_ = well_ && byte <= 1;
  }
  void operator()(RowState& state) {
    std::uint8_t byte = 0;
    (*this)(byte);
    well_ = well_ && byte < row_state_count;
    if (well_) state = static_cast<RowState>(byte);
  }
  void operator()(Buckets& buckets) {
    std::uint32_t mask = 0;
    (*this)(mask);
    if (mask >> bucket_count != 0) return give_up();
    for (std::size_t i = 0; i < bucket_count; ++i) {
      if ((mask >> i & 1) == 0) continue;
      std::int64_t count = 0;
      (*this)(count);
      well_ = well_ && count >= 0;
      buckets.set(static_cast<Bucket>(i), count);
    }
  }
  void operator()(std::optional<RowState>& state) { optional(state, row_state_count); }
  void operator()(std::optional<Fault>& fault) { optional(fault, fault_count); }
  void give_up() {
    well_ = false;
    bytes_ = {};
  }
  [[nodiscard]] bool well() const { return well_; }
  [[nodiscard]] bool over() const { return bytes_.empty(); }
  [[nodiscard]] bool lost() const { return lost_; }

 private:
  void take(std::string_view& text, std::size_t size) {
    if (size > bytes_.size()) return give_up();
    text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
  }
  template <class T>
  void optional(std::optional<T>& value, int count) {
    std::uint8_t byte = none;
    (*this)(byte);
    if (byte == none) return;
    if (byte >= count) return give_up();
    value = static_cast<T>(byte);
  }
  std::string_view bytes_;
  bool well_ = true;
  bool lost_ = false;
};

// The structs, const or not.
template <class To, class T>
concept IsA = std::is_same_v<std::remove_const_t<T>, To>;

void each(auto& io, auto& v)
  requires IsA<Asker, std::remove_reference_t<decltype(v)>>
{
  io.whole(v.id), io.whole(v.mirror_of), io(v.unix_ms), io.whole(v.key), io.whole(v.groups), io.whole(v.tags);
  io(v.asked), io(v.dialect), io(v.operation), io(v.stream);
}
void each(auto& io, auto& v)
  requires IsA<Callee, std::remove_reference_t<decltype(v)>>
{
  io(v.attempt), io(v.backend), io(v.model), io.whole(v.price), io(v.lane), io(v.hedge);
}
void each(auto& io, auto& v)
  requires IsA<Intent, std::remove_reference_t<decltype(v)>>
{
  each(io, v.asker), each(io, v.callee), io(v.input);
}
void each(auto& io, auto& v)
  requires IsA<Checkpoint, std::remove_reference_t<decltype(v)>>
{
  io(v.id), io(v.attempt), io(v.exact), io(v.estimated), io(v.took_ms), io(v.outcome), io(v.status), io(v.fault);
}
void each(auto& io, auto& v)
  requires IsA<CallLine, std::remove_reference_t<decltype(v)>>
{
  each(io, v.callee), io(v.state), io(v.status), io(v.fault), io(v.took_ms), io(v.first_token_ms), io(v.exact);
  io(v.estimated);
}
void each(auto& io, auto& v)
  requires IsA<Settlement, std::remove_reference_t<decltype(v)>>
{
  each(io, v.asker), io(v.served), io(v.state), io(v.coalesced), io(v.status), io(v.fault), io(v.took_ms);
  io(v.first_token_ms), io(v.bytes_in), io(v.bytes_out), io(v.calls), io(v.more);
}

template <class T>
std::size_t size_of(const T& value) {
  Sizer sizer;
  each(sizer, value);
  return sizer.size();
}

template <class T>
char* pack(char* at, const T& value) {
  Packer packer(at);
  each(packer, value);
  return packer.at();
}

}  // namespace

std::size_t entry_size(const Intent& intent) {
  return 1 + size_of(intent);
}
std::size_t entry_size(const Checkpoint& checkpoint) {
  return 1 + size_of(checkpoint);
}
std::size_t entry_size(const Settlement& settlement) {
  return 1 + size_of(settlement);
}
std::size_t entry_size(const CallLine& call) {
  return size_of(call);
}

char* write_entry(char* at, const Intent& intent) {
  *at++ = static_cast<char>(Kind::intent);
  return pack(at, intent);
}
char* write_entry(char* at, const Checkpoint& checkpoint) {
  *at++ = static_cast<char>(Kind::checkpoint);
  return pack(at, checkpoint);
}
char* write_entry(char* at, const Settlement& settlement) {
  *at++ = static_cast<char>(Kind::settlement);
  return pack(at, settlement);
}
char* write_entry(char* at, const CallLine& call) {
  return pack(at, call);
}

Result<Entry> read_entry(std::string_view bytes, bool* lost) {
  const auto broken = [] { return fail(Fault::bad_request, "This is no entry of a ledger's journal."); };
  if (bytes.empty()) return broken();
  Unpacker in(bytes.substr(1));
  Entry entry;
  switch (static_cast<Kind>(bytes.front())) {
    case Kind::intent: each(in, entry.emplace<Intent>()); break;
    case Kind::checkpoint: each(in, entry.emplace<Checkpoint>()); break;
    case Kind::settlement: {
      auto& settled = entry.emplace<Settled>();
      each(in, settled.settlement);
      for (std::uint32_t i = 0; i < settled.settlement.calls && in.well(); ++i) each(in, settled.calls.emplace_back());
      break;
    }
    default: return broken();
  }
  if (!in.well() || !in.over()) return broken();
  if (lost) *lost = in.lost();
  return entry;
}

}  // namespace sluice
