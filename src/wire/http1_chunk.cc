// Chunked bodies, and writing. SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>

#include "wire/http1.h"

namespace sluice::http1 {

ChunkFollower::Piece ChunkFollower::take(std::string_view input) {
  constexpr std::uint32_t max_line = 4096;
  std::size_t at = 0;
  const auto bad = [&] {
    state_ = State::bad;
    return Piece{.step = Step::bad, .consumed = at};
  };
  while (at < input.size()) {
    const char c = input[at];
    switch (state_) {
      case State::size: {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit >= 0) {
          if (++digits_ > 15) return bad();
          left_ = left_ << 4 | static_cast<unsigned>(digit);
        } else if (digits_ == 0) {
          return bad();
        } else if (c == ';') {
          state_ = State::extension;
        } else if (c == '\r') {
          state_ = State::size_lf;
        } else {
          return bad();
        }
        ++at;
        break;
      }
      case State::extension:
        if (c == '\r') {
          state_ = State::size_lf;
        } else if (c == '\n' || (static_cast<unsigned char>(c) < 0x20 && c != '\t') || ++line_ > max_line) {
          return bad();
        }
        ++at;
        break;
      case State::size_lf:
        if (c != '\n') return bad();
        ++at;
        digits_ = 0;
        line_ = 0;
        state_ = left_ == 0 ? State::trailer_start : State::data;
        break;
      case State::data: {
        const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
        left_ -= size;
        if (left_ == 0) state_ = State::data_cr;
        return {.step = Step::more, .consumed = at + size, .payload = input.substr(at, size)};
      }
      case State::data_cr:
        if (c != '\r') return bad();
        ++at;
        state_ = State::data_lf;
        break;
      case State::data_lf:
        if (c != '\n') return bad();
        ++at;
        state_ = State::size;
        break;
      case State::trailer_start:
        state_ = c == '\r' ? State::last_lf : State::trailer;
        if (c == '\n') return bad();
        ++at;
        ++line_;
        break;
      case State::trailer:
        if (c == '\r') {
          state_ = State::trailer_lf;
        } else if (c == '\n' || c == '\0') {
          return bad();
        }
        if (++line_ > 2 * max_line) return bad();
        ++at;
        break;
      case State::trailer_lf:
        if (c != '\n') return bad();
        ++at;
        state_ = State::trailer_start;
        break;
      case State::last_lf:
        if (c != '\n') return bad();
        ++at;
        state_ = State::over;
        return {.step = Step::done, .consumed = at};
      case State::over: return {.step = Step::done, .consumed = at};
      case State::bad: return bad();
    }
  }
  return {.step = state_ == State::over ? Step::done : state_ == State::bad ? Step::bad : Step::more, .consumed = at};
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_value(value)) return;
  const std::size_t before = out.size(), after = before + name.size() + value.size() + 4;
  out.resize_and_overwrite(after, [&](char* p, std::size_t) {  // it may be told of more room than was asked for
    char* at = p + before;
    at += name.copy(at, name.size());
    *at++ = ':';
    *at++ = ' ';
    at += value.copy(at, value.size());
    *at++ = '\r';
    *at = '\n';
    return after;
  });
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 529: return "Overloaded";
    default: return status < 400 ? "OK" : "Error";
  }
}

void append_status_line(std::string& out, int status) {
  char digits[4] = {static_cast<char>('0' + status / 100 % 10), static_cast<char>('0' + status / 10 % 10),
                    static_cast<char>('0' + status % 10), ' '};
  out += "HTTP/1.1 ";
  out.append(digits, 4);
  out += reason_phrase(status);
  out += "\r\n";
}

void append_chunk_size(std::string& out, std::size_t size) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
  out += "\r\n";
}

}  // namespace sluice::http1
