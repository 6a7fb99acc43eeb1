// Calls of the C library that it declares only for _GNU_SOURCE, which Swift's Glibc module is made without.

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/timex.h>

// Not <sys/mman.h> and <unistd.h>: their types would be this module's in a build from nothing, and not Glibc's.
int pagewright_madvise(void *address, size_t length, int advice) __asm__("madvise");

/// Where the bytes of `needle` begin in `haystack`; NULL when they do not.
void *memmem(const void *haystack, size_t haystack_size, const void *needle, size_t needle_size);

/// Writes all that is not yet on the disk of the file system that holds `fd`.
int syncfs(int fd);

/// What the kernel says about its clock: 1 when somebody keeps it, 0 when nobody does, -1 when it does not say.
static inline int clock_is_kept(void) {
    struct timex facts = {0};
    int state = adjtimex(&facts);
    if (state < 0) return -1;
    return state != TIME_ERROR && (facts.status & STA_UNSYNC) == 0;
}

/// Gives back the memory in which this program's own instructions and constants are mapped. Nothing is lost: they are as
/// they stand in its file, and what is used again is mapped again from there. Parts that were ever writable stay.
static inline void release_program_pages(void) {
    const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
    size_t count = getauxval(AT_PHNUM);
    uintptr_t page = (uintptr_t)getauxval(AT_PAGESZ);
    uintptr_t base = 0;
    int is_known = 0;
    for (size_t i = 0; headers && i < count; i++) {
        if (headers[i].p_type != PT_PHDR) continue;
        base = (uintptr_t)headers - headers[i].p_vaddr;
        is_known = 1;
    }
    for (size_t i = 0; is_known && i < count; i++) {
        if (headers[i].p_type != PT_LOAD || (headers[i].p_flags & PF_W)) continue;
        // A page at an edge may belong to a neighbour, too.
        uintptr_t begin = (base + headers[i].p_vaddr + page - 1) & ~(page - 1);
        uintptr_t end = (base + headers[i].p_vaddr + headers[i].p_filesz) & ~(page - 1);
        if (begin < end) pagewright_madvise((void *)begin, end - begin, 4 /* MADV_DONTNEED */);
    }
}
