/* A reader driver for pcscd whose control code 1 carries SDT frames to a socket: the tests' tunnel.
 *
 * DEVICENAME is the path of a Unix socket. No card is ever on this reader as far as PC/SC is told, as with
 * readers whose security module keeps the card to itself. An answer ends with its frame; what is no frame ends
 * when nothing comes for QUIET_MS.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <PCSC/ifdhandler.h>
#include <PCSC/reader.h>

#define SILENCE_MS 700
#define QUIET_MS 150

static char path[108];
static int line = -1;

static void hang_up(void)
{
    if (line >= 0)
        close(line);
    line = -1;
}

static int call(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char rest[4096];

    if (line >= 0) { /* what came too late is not the next answer; a line that ended is called again */
        ssize_t got;
        while ((got = recv(line, rest, sizeof rest, MSG_DONTWAIT)) > 0)
            ;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        hang_up();
    }
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (line >= 0 && connect(line, (struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    hang_up();
    return -1;
}

static int whole_frame(const unsigned char *data, size_t length)
{
    return length >= 7 && memcmp(data, "\xAA\xAA\xAA\x96\x69", 5) == 0
        && length >= 7 + ((size_t)data[5] << 8 | data[6]);
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR request, DWORD request_length, PUCHAR answer,
                         DWORD answer_size, LPDWORD answer_length)
{
    size_t length = 0;

    (void)lun;
    *answer_length = 0;
    if (code != SCARD_CTL_CODE(1))
        return IFD_ERROR_NOT_SUPPORTED;
    if (call() != 0)
        return IFD_NO_SUCH_DEVICE;
    if (send(line, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length)
        return IFD_COMMUNICATION_ERROR;
    while (length < answer_size && !whole_frame(answer, length)) {
        struct pollfd waited = { .fd = line, .events = POLLIN };
        ssize_t got;
        if (poll(&waited, 1, length ? QUIET_MS : SILENCE_MS) <= 0)
            break;
        got = recv(line, answer + length, answer_size - length, 0);
        if (got <= 0) {
            hang_up();
            return IFD_NO_SUCH_DEVICE;
        }
        length += (size_t)got;
    }
    *answer_length = length;
    return length ? IFD_SUCCESS : IFD_COMMUNICATION_ERROR;
}

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name)
{
    (void)lun;
    strncpy(path, name, sizeof path - 1);
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel)
{
    (void)lun, (void)channel;
    return IFD_ERROR_NOT_SUPPORTED;
}

RESPONSECODE IFDHCloseChannel(DWORD lun)
{
    (void)lun;
    hang_up();
    return IFD_SUCCESS;
}

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
    (void)lun;
    if ((tag != TAG_IFD_SLOTS_NUMBER && tag != TAG_IFD_SIMULTANEOUS_ACCESS) || *length < 1)
        return IFD_ERROR_TAG;
    *length = 1;
    *value = 1;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{
    (void)lun, (void)tag, (void)length, (void)value;
    return IFD_ERROR_TAG;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2,
                                       UCHAR pts3)
{
    (void)lun, (void)protocol, (void)flags, (void)pts1, (void)pts2, (void)pts3;
    return IFD_ERROR_NOT_SUPPORTED;
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD atr_length)
{
    (void)lun, (void)action, (void)atr;
    *atr_length = 0;
    return IFD_ERROR_POWER_ACTION;
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER send_pci, PUCHAR request, DWORD request_length,
                               PUCHAR answer, PDWORD answer_length, PSCARD_IO_HEADER receive_pci)
{
    (void)lun, (void)send_pci, (void)request, (void)request_length, (void)answer, (void)receive_pci;
    *answer_length = 0;
    return IFD_COMMUNICATION_ERROR;
}

RESPONSECODE IFDHICCPresence(DWORD lun)
{
    (void)lun;
    return IFD_ICC_NOT_PRESENT;
}
