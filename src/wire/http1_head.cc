// Heads. SPDX-License-Identifier: MIT
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstring>

#include "wire/http1.h"

namespace sluice::http1 {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

constexpr std::array<std::uint8_t, 256> byte_classes() {
  std::array<std::uint8_t, 256> out{};
  for (int c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    std::uint8_t bits = 0;
    if (alnum || std::string_view("!#$%&'*+-.^_`|~").contains(static_cast<char>(c))) bits |= 1;  // token
    if ((c >= 0x20 && c != 0x7f) || c == '\t') bits |= 2;  // field value, obs-text included
    if (c > 0x20 && c < 0x7f && !std::string_view("\"<>\\^`{|}#").contains(static_cast<char>(c)))
      bits |= 4;                                                                                     // request target
    if (alnum || std::string_view("-._~!$&'()*+,;=:[]%").contains(static_cast<char>(c))) bits |= 8;  // host and port
    out[static_cast<std::size_t>(c)] = bits;
  }
  return out;
}
constexpr auto classes = byte_classes();
bool all_of(std::string_view text, std::uint8_t bit) {
  return std::ranges::all_of(text, [bit](char c) { return (classes[static_cast<unsigned char>(c)] & bit) != 0; });
}

Parsed bad(int status, std::string_view why) {
  return {.step = Step::bad, .status = status, .why = why};
}

// Looks for the empty line; returns the size of the head, 0 for "not yet".
std::size_t head_size(std::string_view buffer, std::size_t& seen) {
  std::size_t from = seen > 3 ? seen - 3 : 0;
  seen = buffer.size();
#ifdef __SSE2__
  // Sixteen places at a time: an LF, and another two bytes on.
  const __m128i lf = _mm_set1_epi8('\n');
  const char* const text = buffer.data();
  for (from += 1; from + 18 <= buffer.size(); from += 16) {
    const __m128i first = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text + from)), lf);
    const __m128i second = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text + from + 2)), lf);
    for (auto both = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(first, second))); both != 0;
         both &= both - 1) {
      const std::size_t at = from + static_cast<std::size_t>(std::countr_zero(both));
      if (text[at - 1] == '\r' && text[at + 1] == '\r') return at + 3;
    }
  }
  from -= 1;
#endif
  const auto end = buffer.find("\r\n\r\n", from);
  return end == std::string_view::npos ? 0 : end + 4;
}

// The first byte from `at` on that no field value may hold; the size of the text if there is none.
std::size_t value_end(std::string_view text, std::size_t at) {
#ifdef __SSE2__
  const __m128i controls = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, controls), bytes);
    const __m128i ends = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), low), _mm_cmpeq_epi8(bytes, del));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(ends));
    if (mask != 0) return at + static_cast<std::size_t>(std::countr_zero(mask));
  }
#endif
  while (at < text.size() && (classes[static_cast<unsigned char>(text[at])] & 2) != 0) ++at;
  return at;
}

// The first byte from `at` on that no token may hold; the size of the text if there is none.
std::size_t token_end(std::string_view text, std::size_t at) {
#ifdef __SSE2__
  // Letters, digits and '-' sixteen at a time; the few others one by one, below.
  while (at + 16 <= text.size()) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const auto within = [](__m128i what, char from, char size) {
      const __m128i shifted = _mm_sub_epi8(what, _mm_set1_epi8(from));
      return _mm_cmpeq_epi8(_mm_min_epu8(shifted, _mm_set1_epi8(static_cast<char>(size - 1))), shifted);
    };
    const __m128i letters = within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    const __m128i others = _mm_or_si128(within(bytes, '0', 10), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    const int run = std::countr_one(static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(letters, others))));
    at += static_cast<std::size_t>(run);
    if (run < 16) break;
  }
#endif
  while (at < text.size() && (classes[static_cast<unsigned char>(text[at])] & 1) != 0) ++at;
  return at;
}

// Takes one line off the front of a complete head. A bare CR or LF anywhere is a fault of its own.
bool take_line(std::string_view& rest, std::string_view& line) {
  const void* lf = std::memchr(rest.data(), '\n', rest.size());
  if (lf == nullptr) return false;
  const auto end = static_cast<std::size_t>(static_cast<const char*>(lf) - rest.data());
  if (end == 0 || rest[end - 1] != '\r') return false;
  line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return line.find('\r') == std::string_view::npos;
}

struct Framing {
  bool has_length = false, has_encoding = false;
  std::uint64_t length = 0;
  bool close = false, keep = false;
  std::string_view host;
  std::size_t hosts = 0;
  bool expects_continue = false, expects_other = false;
};

bool has_token(std::string_view list, std::string_view token) {
  while (true) {
    const auto comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (iequals(item, token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

// Digits only, no sign, no list, no overflow.
bool read_length(std::string_view text, std::uint64_t& out) {
  if (text.empty() || text.size() > 18) return false;
  out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return true;
}

// True if `name`, a token of that size, is `word` but for case: for small letters and '-', a set bit 5 is all of it.
template <std::size_t size>
bool is(std::string_view name, const char (&word)[size]) {
  unsigned differ = 0;
  for (std::size_t i = 0; i + 1 < size; ++i)
    differ |= (static_cast<unsigned char>(name[i]) | 0x20U) ^ static_cast<unsigned char>(word[i]);
  return differ == 0;
}

// Takes a field without fault off the front of a complete head, in one pass over its bytes. False leaves everything to
// those who can tell what is wrong, or that the head is over.
bool take_field(std::string_view& rest, std::string_view& name, std::string_view& value) {
  const std::size_t colon = token_end(rest, 0);
  if (colon == 0 || colon >= rest.size() || rest[colon] != ':') return false;
  std::size_t from = colon + 1;
  while (from < rest.size() && (rest[from] == ' ' || rest[from] == '\t')) ++from;
  const std::size_t end = value_end(rest, from);
  if (end + 1 >= rest.size() || rest[end] != '\r' || rest[end + 1] != '\n') return false;
  std::size_t last = end;
  while (last > from && (rest[last - 1] == ' ' || rest[last - 1] == '\t')) --last;
  name = rest.substr(0, colon);
  value = rest.substr(from, last - from);
  rest.remove_prefix(end + 2);
  return true;
}

// The same for one with a fault, which it names, and for the end of the head (done).
Parsed tell_fault(std::string_view rest) {
  std::string_view line;
  if (!take_line(rest, line)) return bad(400, "A line of the head does not end in CR LF.");
  if (line.empty()) return {.step = Step::done};
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad(400, "A field of the head has no name.");
  if (!all_of(line.substr(0, colon), 1)) return bad(400, "A field name holds characters that no name may have.");
  return bad(400, "A field value holds control characters.");
}

Parsed read_fields(std::string_view rest, Fields& fields, Framing& framing) {
  std::string_view name;
  std::string_view value;
  while (take_field(rest, name, value)) {
    if (!fields.add({name, value})) return bad(431, "The head has more than 100 fields.");
    switch (name.size()) {
      case 4:
        if (is(name, "host")) {
          framing.host = value;
          ++framing.hosts;
        }
        break;
      case 6:
        if (is(name, "expect"))
          (iequals(value, "100-continue") ? framing.expects_continue : framing.expects_other) = true;
        break;
      case 10:
        if (is(name, "connection")) {
          framing.close |= has_token(value, "close");
          framing.keep |= has_token(value, "keep-alive");
        }
        break;
      case 14:
        if (is(name, "content-length")) {
          if (framing.has_length) return bad(400, "Content-Length stands more than once.");
          if (!read_length(value, framing.length)) return bad(400, "Content-Length is not a plain number.");
          framing.has_length = true;
        }
        break;
      case 17:
        if (is(name, "transfer-encoding")) {
          if (framing.has_encoding) return bad(400, "Transfer-Encoding stands more than once.");
          if (!iequals(value, "chunked")) return bad(501, "The only Transfer-Encoding known here is chunked.");
          framing.has_encoding = true;
        }
        break;
      default: break;
    }
  }
  return tell_fault(rest);
}

bool read_version(std::string_view text, int& minor) {
  if (text == "HTTP/1.1") {
    minor = 1;
  } else if (text == "HTTP/1.0") {
    minor = 0;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string_view Fields::get(std::string_view name) const {
  for (const Field& f : *this) {
    if (iequals(f.name, name)) return f.value;
  }
  return {};
}
bool Fields::has(std::string_view name) const {
  return count(name) != 0;
}
std::size_t Fields::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(begin(), end(), [&](const Field& f) { return iequals(f.name, name); }));
}

bool is_token(std::string_view text) {
  return !text.empty() && token_end(text, 0) == text.size();
}
bool is_value(std::string_view text) {
  // The last sixteen bytes are looked at together, though the first of them have been before.
  const std::string_view last = text.substr(text.size() - std::min<std::size_t>(text.size(), 16));
  text = text.substr(0, text.size() / 16 * 16);
  return value_end(text, 0) == text.size() && value_end(last, 0) == last.size();
}

Parsed parse_request(std::string_view buffer, const Limits& limits, std::size_t& seen, RequestHead& out) {
  // RFC 9112 section 2.2: a server should ignore at least one empty line before the request line.
  std::size_t skipped = 0;
  while (skipped < 4 && buffer.substr(skipped).starts_with("\r\n")) skipped += 2;
  std::string_view text = buffer.substr(skipped);
  if (text.empty() || (skipped < 4 && text == "\r")) return {};
  std::size_t searched = seen > skipped ? seen - skipped : 0;
  const std::size_t size = head_size(text, searched);
  seen = buffer.size();
  if (size == 0) {
    if (text.size() > limits.head)
      return bad(text.find('\n') == std::string_view::npos ? 414 : 431, "The head of the request is too large.");
    // A bare LF line end or a NUL would otherwise be waited for in vain.
    const auto lf = text.find('\n');
    if (lf == 0 || (lf != std::string_view::npos && text[lf - 1] != '\r'))
      return bad(400, "A line of the head does not end in CR LF.");
    if (!text.empty() && !all_of(text.substr(0, 1), 1)) return bad(400, "This is not an HTTP request.");
    return {};
  }
  if (size > limits.head) return bad(431, "The head of the request is too large.");
  std::string_view rest = text.substr(0, size), line;
  if (!take_line(rest, line)) return bad(400, "The request line does not end in CR LF.");
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return bad(400, "The request line is not \"METHOD TARGET HTTP/1.1\".");
  out.method = line.substr(0, first);
  out.target = line.substr(first + 1, last - first - 1);
  if (!is_token(out.method)) return bad(400, "The method holds characters that no method may have.");
  if (!read_version(line.substr(last + 1), out.minor))
    return bad(line.substr(last + 1).starts_with("HTTP/") ? 505 : 400, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  if (out.target.empty() || !all_of(out.target, 4))
    return bad(400, "The request target holds characters that no target may have.");
  out.fields.clear();
  Framing framing;
  if (const Parsed fault = read_fields(rest, out.fields, framing); fault.step == Step::bad) return fault;
  if (framing.hosts > 1 || (framing.hosts == 0 && out.minor == 1)) return bad(400, "A request needs exactly one Host.");
  if (!all_of(framing.host, 8)) return bad(400, "Host holds characters that no host may have.");
  out.authority = framing.host;
  if (out.target[0] != '/' && out.target != "*") {
    const auto scheme = out.target.find("://");
    const std::string_view authority =
        scheme == std::string_view::npos ? std::string_view() : out.target.substr(scheme + 3);
    const std::string_view host = authority.substr(0, authority.find_first_of("/?"));
    if (host.empty() || (!framing.host.empty() && !iequals(host, framing.host)))
      return bad(400, "The request target and Host disagree.");
    out.authority = host;
  }
  if (framing.has_encoding && framing.has_length)
    return bad(400, "Content-Length and Transfer-Encoding stand together.");
  if (framing.has_encoding && out.minor == 0) return bad(400, "HTTP/1.0 has no Transfer-Encoding.");
  if (framing.expects_other) return bad(417, "The only expectation known here is 100-continue.");
  out.body = framing.has_encoding ? Body{BodyKind::chunked}
             : framing.length > 0 ? Body{BodyKind::length, framing.length}
                                  : Body{};
  out.keep_alive = out.minor == 1 ? !framing.close : framing.keep && !framing.close;
  out.expects_continue = framing.expects_continue && out.minor == 1;
  return {.step = Step::done, .consumed = skipped + size};
}

Parsed parse_response(std::string_view buffer, const Limits& limits, std::size_t& seen, bool head_request,
                      ResponseHead& out) {
  const std::size_t size = head_size(buffer, seen);
  if (size == 0) {
    if (buffer.size() > limits.head) return bad(502, "The head of the response is too large.");
    if (!std::string_view("HTTP/1.").starts_with(buffer.substr(0, 7)))
      return bad(502, "This is not an HTTP/1 response.");
    return {};
  }
  if (size > limits.head) return bad(502, "The head of the response is too large.");
  std::string_view rest = buffer.substr(0, size), line;
  if (!take_line(rest, line)) return bad(502, "The status line does not end in CR LF.");
  if (line.size() < 12 || !read_version(line.substr(0, 8), out.minor) || line[8] != ' ')
    return bad(502, "The status line is malformed.");
  std::uint64_t status = 0;
  if (!read_length(line.substr(9, 3), status) || status < 100 || (line.size() > 12 && line[12] != ' '))
    return bad(502, "The status line is malformed.");
  out.status = static_cast<int>(status);
  out.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  out.fields.clear();
  Framing framing;
  if (Parsed fault = read_fields(rest, out.fields, framing); fault.step == Step::bad) {
    fault.status = 502;
    return fault;
  }
  if (framing.has_encoding && framing.has_length)
    return bad(502, "Content-Length and Transfer-Encoding stand together.");
  if (framing.has_encoding && out.minor == 0) return bad(502, "HTTP/1.0 has no Transfer-Encoding.");
  out.keep_alive = out.minor == 1 ? !framing.close : framing.keep && !framing.close;
  if (head_request || out.status < 200 || out.status == 204 || out.status == 304) {
    out.body = {};
  } else if (framing.has_encoding) {
    out.body = {BodyKind::chunked};
  } else if (framing.has_length) {
    out.body = framing.length > 0 ? Body{BodyKind::length, framing.length} : Body{};
  } else {
    out.body = {BodyKind::until_close};
    out.keep_alive = false;
  }
  return {.step = Step::done, .consumed = size};
}

}  // namespace sluice::http1
