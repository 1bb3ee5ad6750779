// SPDX-License-Identifier: MIT
#include "call_gateway.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <charconv>

#include "base/json.h"
#include "wire/http1.h"

namespace sluice {
namespace {

// A connection to the first address that takes one; -1 when none does.
int dial(const Url& url) {
  addrinfo hints{.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  if (::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found) != 0) return -1;
  int out = -1;
  for (const addrinfo* one = found; one && out < 0; one = one->ai_next) {
    out = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (out >= 0 && ::connect(out, one->ai_addr, one->ai_addrlen) != 0) {
      ::close(out);
      out = -1;
    }
  }
  ::freeaddrinfo(found);
  return out;
}

// All that the server says until it closes.
std::expected<std::string, NoAnswer> say(const Url& url, std::string_view request) {
  const int fd = dial(url);
  if (fd < 0) return std::unexpected(NoAnswer::nobody);
  const timeval patience{.tv_sec = 10};
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string out;
  bool good = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size());
  for (char piece[4096]; good;) {
    const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
    if (got < 0) good = false;
    if (got <= 0) break;
    out.append(piece, static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (!good) return std::unexpected(NoAnswer::lost);
  return out;
}

}  // namespace

std::expected<GatewaySaid, NoAnswer> call_gateway(const Url& url, const GatewayAsk& ask) {
  std::string head = std::string(ask.method) + ' ' + url.path + ask.path + " HTTP/1.1\r\n";
  http1::append_field(head, "host", url.host + ":" + std::to_string(url.port));
  if (!ask.credential.empty()) http1::append_field(head, "authorization", "Bearer " + ask.credential);
  http1::append_field(head, "connection", "close");
  http1::append_field(head, "content-type", "application/json");
  http1::append_field(head, "content-length", std::to_string(ask.body.size()));
  const auto answer = say(url, head + "\r\n" + ask.body);
  if (!answer) return std::unexpected(answer.error());
  const auto end = answer->find("\r\n\r\n");
  if (end == std::string::npos) return std::unexpected(NoAnswer::lost);
  GatewaySaid out{.body = answer->substr(end + 4)};
  const char* const status = answer->data() + 9;
  if (end > 12) std::from_chars(status, status + 3, out.status);
  return out;
}

std::string message_of(const GatewaySaid& said) {
  json::Document doc;
  const auto root = doc.parse(said.body);
  std::string message = root ? (*root)["error"]["message"].text() : std::string();
  if (!message.empty()) return message;
  return said.status == 0 ? "what answers there is no gateway" : fmt::format("the gateway answered {}", said.status);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("-._~").contains(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace sluice
